package fencemodel

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
