package fencemodel

import (
	"errors"
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
)

func (p *protocol) nodeSteps(s *state, i int, normal normalStep, fault faultStep) {
	n := &s.nodes[i]
	name := nodeName(n.name)
	if s.inbox.place == waiting {
		if n.phase == idle {
			normal(name+" claims", func(t *state) { p.claim(t, &t.nodes[i]) })
		} else {
			fault(name+" claims what its own actor still has: that one is told, the new lease is left to end", s.used.again, p.limits.again, func(t *state) {
				t.used.again++
				t.inbox.place, t.inbox.token, t.inbox.owner = leased, s.inbox.token+1, n.name
				if n.phase == running {
					p.leaseLost(&t.nodes[i])
				}
			})
		}
	}
	if n.phase != idle || n.pending.exists() || i == 0 && (s.accepting || s.api.phase == 1 || s.api.phase == 2) {
		fault(name+" dies", s.used.crashes, p.limits.crashes, func(t *state) {
			t.used.crashes++
			t.nodes[i] = node{name: n.name + 2}
			if p.sameName {
				t.nodes[i].name = n.name
			}
			if i == 0 {
				t.accepting = false
				if s.api.phase == 1 || s.api.phase == 2 {
					t.api = request{phase: 3}
				}
			}
		})
	}
	p.journalSteps(s, i, normal, fault)
	p.actorSteps(s, i, normal, fault)
}

// claim is Inbox.Claim. A job that was never claimed before is what its envelope says; of any other the row is read first.
func (p *protocol) claim(s *state, n *node) {
	s.claims++
	p.maxClaims = max(p.maxClaims, s.claims)
	if s.claims > p.claimLimit {
		p.violated("P-bound: more than %d claims", p.claimLimit)
	}
	s.inbox.place, s.inbox.token, s.inbox.owner = leased, s.inbox.token+1, n.name
	n.phase, n.lease, n.crashes, n.claim = claimed, s.inbox.token, s.inbox.crashes, s.claims
	if n.lease == 1 || p.unread {
		p.begin(n, p.core.fresh())
	}
}

// begin is an actor's first step, from the job as the row or the envelope has it.
func (p *protocol) begin(n *node, known record) {
	next, err := p.core.apply(known, job.Claimed{Token: int64(n.lease), Node: nodeName(n.name), Crashes: int(n.crashes)}, n.claim)
	switch {
	case errors.Is(err, job.ErrTerminal):
		n.job, n.phase, n.verb = known, settling, ack
	case errors.Is(err, job.ErrStale):
		n.job = known
		p.refused(n, known)
	case err != nil:
		panic(err)
	default:
		n.job, n.phase = next, running
		p.say(n)
	}
}

// say journals the actor's state. If the status ends the claim, that is its last word.
func (p *protocol) say(n *node) {
	var v verb
	switch n.job.is() {
	case job.Completed, job.Failed, job.Cancelled:
		v = ack
	case job.Retrying, job.Scheduled:
		v = delay
	case job.Queued:
		v = giveBack
	}
	n.write(v)
	if v != keep {
		n.phase = leaving
		if p.settleFirst {
			n.phase, n.verb = settling, v
			n.pendingVerb = keep
		}
	}
}

// refused: the row is another's. What the row says decides what becomes of the lease, if this actor still has it.
func (p *protocol) refused(n *node, current record) {
	n.phase, n.verb = settling, p.refusal
	if current.life > n.job.life || current.terminal() && current.life == n.job.life {
		n.verb = ack
		return
	}
	n.floor = current.token
}

func (p *protocol) leaseLost(n *node) {
	if p.endEarly || !n.pending.exists() {
		n.stop()
	}
}

func (p *protocol) journalSteps(s *state, i int, normal normalStep, fault faultStep) {
	n := &s.nodes[i]
	if !n.pending.exists() {
		return
	}
	name := nodeName(n.name)
	normal(name+" commits", func(t *state) {
		m := &t.nodes[i]
		m.pending, m.pendingVerb = record{}, keep
		applied := p.commit(t, n.pending)
		switch {
		case n.phase == idle || n.claim != n.pending.claim || p.settleFirst: // nobody waits for the answer
		case !applied:
			p.refused(m, t.row)
		case n.pendingVerb != keep:
			m.phase, m.verb = settling, n.pendingVerb
		}
	})
	fault(name+" commits, and the reply is lost", s.used.lost, p.limits.lost, func(t *state) {
		t.used.lost++
		p.commit(t, n.pending)
	})
	if !s.late.exists() {
		fault(name+"'s commit is cut off, and may land later", s.used.lost, p.limits.lost, func(t *state) { t.used.lost++; t.late = n.pending })
	}
}

func (p *protocol) actorSteps(s *state, i int, normal normalStep, fault faultStep) {
	n := &s.nodes[i]
	name := nodeName(n.name)
	has := s.inbox.place == leased && s.inbox.owner == n.name && s.inbox.token == n.lease
	tell := func(what string, e job.Event) func(t *state) {
		return func(t *state) {
			m := &t.nodes[i]
			next, err := p.core.apply(m.job, e, m.claim)
			if err != nil {
				panic(fmt.Sprintf("%s: %v", what, err))
			}
			m.job = next
			p.say(m)
		}
	}
	switch n.phase {
	case claimed:
		normal(name+" reads the row and begins", func(t *state) {
			known := s.row
			if !known.exists() {
				known = p.core.fresh()
			}
			p.begin(&t.nodes[i], known)
		})
	case running:
		normal(name+"'s handler succeeds", tell("success", job.Succeeded{}))
		normal(name+"'s handler fails", tell("failure", job.AttemptFailed{}))
		if n.checkpoints < p.checkpoints {
			normal(name+"'s handler leaves a checkpoint", func(t *state) {
				t.nodes[i].checkpoints++
				tell("checkpoint", job.Checkpointed{})(t)
			})
		}
		fault(name+" drains", s.used.drains, p.limits.drains, func(t *state) {
			t.used.drains++
			tell("release", job.Released{})(t)
		})
		if s.api.phase == 0 && p.request == "cancel" && n.job.is() == job.Processing {
			fault(name+" is asked to cancel", 0, 1, func(t *state) {
				t.api.phase = 3
				tell("cancel", job.CancelRequested{})(t)
			})
		}
		if s.inbox.place != absent && !has {
			normal(name+" notices that its lease is lost", func(t *state) { p.leaseLost(&t.nodes[i]) })
		}
		fallthrough
	case leaving:
		if s.inbox.place == absent {
			normal(name+" restores its lease", func(t *state) {
				t.inbox = inbox{place: leased, life: n.job.life, token: n.lease, owner: n.name, crashes: n.crashes}
			})
		}
	case settling:
		normal(name+" settles: "+n.verb.String(), func(t *state) { p.settle(t, &t.nodes[i], has) })
		if has {
			fault(name+" settles, and the reply is lost", s.used.lost, p.limits.lost, func(t *state) {
				t.used.lost++
				p.settle(t, new(t.nodes[i]), true)
			})
		}
	case enqueuing:
		normal(name+" puts the job back under the row's token", func(t *state) {
			p.enqueue(t, n.job.life, n.floor, max(n.job.crashes, n.crashes))
			t.nodes[i].stop()
		})
	}
}
