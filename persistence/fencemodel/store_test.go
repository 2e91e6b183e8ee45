package fencemodel

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
