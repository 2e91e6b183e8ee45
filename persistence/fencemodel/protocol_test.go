package fencemodel

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// protocol is the system under the walk: its rules, one of which a mutant breaks, and the bounds of the walk.
type protocol struct {
	core        *core
	maxAttempts uint8
	maxCrashes  uint8
	limits      faults
	claimLimit  uint8  // P-bound
	checkpoints uint8  // how many checkpoints a handler may leave: further writes of a claim
	request     string // what the API may ask once: "", cancel, hasten or redrive
	refusal     verb   // what a refused holder does with a lease under a token that is not new: rebase or giveBack

	// The rules. Mutants replace them.
	admits        func(row, write persistence.Fence) bool
	inForceByTime bool // a write that repeats the row's fence is in force only if it was made at the row's time
	settleFirst   bool // settle before the commit
	noFloor       bool // a refilled job begins with token 0 again
	lifeResets    bool // a later life replaces the earlier in the inbox with its own token, although that may be smaller
	sameName      bool // a node that starts again has its old name
	oneName       bool // two actors of the job live under one name
	endEarly      bool // an actor that lost its lease ends although the journal still has its writes

	only      string // the property to look for; empty for all
	violation string
	maxGap    uint8 // how far the inbox's token was behind the row's at a refusal
	maxClaims uint8
}

func (p *protocol) violated(format string, args ...any) {
	if p.violation == "" && strings.HasPrefix(format, p.only) {
		p.violation = fmt.Sprintf(format, args...)
	}
}

// edge is one step of the system. A fault is bounded and need not happen; what is no fault happens sooner or later.
type edge struct {
	label string
	fault bool
	next  state
}

func (p *protocol) first() state {
	s := state{accepting: true, inbox: inbox{place: waiting, life: 1}}
	s.nodes[0].name, s.nodes[1].name = 1, 2
	if p.oneName {
		s.nodes[1].name = 1
	}
	return s
}

// steps calls visit with every step that can be taken.
func (p *protocol) steps(s *state, visit func(edge)) {
	normal := func(label string, change func(n *state)) {
		n := *s
		change(&n)
		if n != *s {
			visit(edge{label, false, n})
		}
	}
	fault := func(label string, used, limit uint8, change func(n *state)) {
		if used < limit {
			n := *s
			change(&n)
			visit(edge{label, true, n})
		}
	}
	p.inboxSteps(s, normal, fault)
	p.apiSteps(s, normal, fault)
	for i := range s.nodes {
		p.nodeSteps(s, i, normal, fault)
	}
	if s.accepting {
		normal("A commits the accepted row", func(n *state) {
			n.accepting = false
			p.commit(n, p.core.fresh())
		})
	}
	if s.late.exists() {
		fault("a late write lands", 0, 1, func(n *state) {
			n.late = record{}
			p.commit(n, s.late)
		})
	}
}

type (
	normalStep func(label string, change func(n *state))
	faultStep  func(label string, used, limit uint8, change func(n *state))
)

// commit is Store.Commit of one write, and what must be true of it.
func (p *protocol) commit(s *state, w record) (applied bool) {
	row := s.row
	switch {
	case !row.exists():
	case p.admits(row.fence(), w.fence()):
	case row.fence() == w.fence() && (row.claim == w.claim || !p.inForceByTime):
		if row.claim != w.claim {
			p.violated("P-truth: claim %d is told that its write %s is in force, and the row is of claim %d", w.claim, w, row.claim)
		}
		return true
	default:
		return false
	}
	if row.exists() {
		if row.terminal() && w.life == row.life {
			p.violated("P-one: %s overwrites %s", w, row)
		}
		if w.life < row.life || w.life > row.life+1 || w.life > row.life && !row.terminal() {
			p.violated("P-one: %s begins a life after %s", w, row)
		}
	}
	if row.claim != 0 && row.claim != w.claim {
		s.past |= 1 << row.claim
	}
	if w.claim != 0 && s.past&(1<<w.claim) != 0 {
		p.violated("P-fence: claim %d writes %s again after %s", w.claim, w, row)
	}
	if w.claim != 0 && s.past>>w.claim > 1 && s.used.rollbacks+s.used.flushes == 0 {
		p.violated("P-nostale: claim %d writes %s after a newer claim has", w.claim, w)
	}
	if row.exists() && !w.newer(row) && w != row {
		p.violated("P-rev: %s comes after %s", w, row)
	}
	if w.attempts > p.maxAttempts {
		p.violated("P-bound: %s has failed more than %d times", w, p.maxAttempts)
	}
	if w.crashes > p.maxCrashes && !w.terminal() {
		p.violated("P-bound: %s goes on after %d crashes", w, w.crashes)
	}
	s.row = w
	return true
}

func (p *protocol) inboxSteps(s *state, normal normalStep, fault faultStep) {
	if s.inbox.place == delayed {
		normal("the delayed job is due", func(n *state) { n.inbox.place = waiting })
	}
	if s.inbox.place == leased {
		reap := func(n *state) {
			n.inbox.place, n.inbox.owner = waiting, 0
			n.inbox.crashes = min(n.inbox.crashes+1, p.maxCrashes+1)
		}
		if p.held(s) {
			fault("the lease of a living holder ends and is reaped", s.used.expiries, p.limits.expiries, func(n *state) { n.used.expiries++; reap(n) })
		} else {
			normal("a lease that nobody renews ends and is reaped", reap)
		}
	}
	fault("Redis is copied", s.used.snapshots, p.limits.snapshots, func(n *state) { n.used.snapshots++; n.snapshot = s.inbox })
	if s.used.snapshots > s.used.rollbacks {
		fault("Redis is rolled back to the copy", s.used.rollbacks, p.limits.rollbacks, func(n *state) {
			n.used.rollbacks++
			n.inbox, n.snapshot = s.snapshot, inbox{}
		})
	}
	if s.row.exists() { // before that the job is durable in the inbox only
		fault("Redis loses everything", s.used.flushes, p.limits.flushes, func(n *state) { n.used.flushes++; n.inbox = inbox{} })
	}
	if s.inbox.place == absent && s.row.exists() && !s.row.terminal() && !s.refill.read {
		normal("the reconciler reads the row of a job that the inbox does not know", func(n *state) {
			n.refill = refill{true, s.row.life, s.row.token, s.row.crashes}
		})
	}
	if s.refill.read {
		normal("the reconciler refills", func(n *state) {
			n.refill = refill{}
			p.enqueue(n, s.refill.life, s.refill.token, s.refill.crashes)
		})
	}
}

// held says whether the holder of the lease lives and renews it.
func (p *protocol) held(s *state) bool {
	for i := range s.nodes {
		if n := &s.nodes[i]; n.name == s.inbox.owner && n.phase != idle && n.phase != enqueuing && n.lease == s.inbox.token {
			return true
		}
	}
	return false
}

func (p *protocol) enqueue(s *state, life, token, crashes uint8) {
	if s.inbox.place != absent && s.inbox.life >= life {
		return
	}
	switch {
	case p.noFloor:
		token = 0
	case !p.lifeResets:
		token = max(token, s.inbox.token) // 0 if absent
	}
	s.inbox = inbox{place: waiting, life: life, token: token, crashes: crashes}
}

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
	if n.lease == 1 {
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

// settle is Inbox.Settle: it does nothing unless the lease is held.
func (p *protocol) settle(s *state, n *node, has bool) {
	v, floor, lease := n.verb, n.floor, n.lease
	if !has || v != rebase {
		n.stop()
	} else {
		n.phase, n.verb = enqueuing, keep
	}
	if !has {
		return
	}
	if floor > lease {
		p.maxGap = max(p.maxGap, floor-lease)
	}
	switch v {
	case ack, rebase:
		s.inbox = inbox{}
	case delay:
		s.inbox.place, s.inbox.owner = delayed, 0
	case giveBack:
		s.inbox.place, s.inbox.owner = waiting, 0
	}
}

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
