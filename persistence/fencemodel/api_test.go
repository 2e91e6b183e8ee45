package fencemodel

import "github.com/meta-ad-studio/troupe/actors/job"

// apiSteps: the API runs on node A, under A's name. It reads the row, writes under the next token, then changes the inbox.
func (p *protocol) apiSteps(s *state, normal normalStep, fault faultStep) {
	name := nodeName(s.nodes[0].name)
	var event job.Event
	allowed := false
	switch p.request {
	case "cancel":
		event, allowed = job.CancelRequested{Node: name}, s.row.exists() && s.row.is().Waiting()
	case "hasten":
		event, allowed = job.Hastened{Node: name}, s.row.exists() && (s.row.is() == job.Retrying || s.row.is() == job.Scheduled)
	case "redrive":
		event, allowed = job.Redriven{Node: name}, s.row.exists() && (s.row.is() == job.Failed || s.row.is() == job.Cancelled)
	}
	switch s.api.phase {
	case 0:
		if allowed {
			fault("the API reads the row to "+p.request, 0, 1, func(n *state) {
				next, err := p.core.apply(s.row, event, 0)
				if err != nil {
					panic(err)
				}
				n.api = request{1, next}
			})
		}
	case 1:
		normal("the API commits the request to "+p.request, func(n *state) {
			n.api.phase = 2
			if !p.commit(n, s.api.job) {
				n.api = request{phase: 3}
			}
		})
	case 2:
		normal("the API tells the inbox to "+p.request, func(n *state) {
			n.api = request{phase: 3}
			switch p.request {
			case "cancel":
				if s.inbox.place == waiting || s.inbox.place == delayed {
					n.inbox = inbox{}
				}
			case "hasten":
				if s.inbox.place == delayed {
					n.inbox.place, n.inbox.token = waiting, max(s.inbox.token, s.api.job.token)
				}
			case "redrive":
				p.enqueue(n, s.api.job.life, s.api.job.token, 0)
			}
		})
	}
}
