package redis

import "time"

// maxSources bounds how many nodes are told apart; one more makes all be forgotten, and their next words gaps.
const maxSources = 4096

// sources follows what each node says, and notices what was missed.
type sources struct {
	heard map[string]*source // by boot
}

type source struct {
	node string
	seq  uint64
	last time.Time
}

// hear takes a frame and says whether it brings something, and whether something before it was missed. A node that was
// never heard has missed words if this is not its first. What repeats an earlier frame brings nothing.
func (s *sources) hear(f *frame, now time.Time) (fresh, gap bool) {
	from, known := s.heard[f.boot]
	brings := f.kind == statesFrame || f.kind == signalFrame
	var expected uint64
	switch {
	case known && brings:
		expected = from.seq + 1
	case known:
		expected = from.seq
	case brings:
		expected = 1
	default:
		expected = 0
	}
	if known && f.seq < expected { // said again, or overtaken
		from.last = now
		return false, false
	}
	gap = f.seq > expected
	if f.kind == byeFrame {
		delete(s.heard, f.boot)
		return false, gap
	}
	if !known {
		if len(s.heard) >= maxSources {
			clear(s.heard)
		}
		from = &source{node: f.node}
		s.heard[f.boot] = from
	}
	from.seq, from.last = f.seq, now
	return brings, gap
}

// silent forgets the nodes that have said nothing for too long, and returns their names: what they said last may have
// been missed, and their next word will count as a stranger's.
func (s *sources) silent(now time.Time) (nodes []string) {
	for boot, from := range s.heard {
		if now.Sub(from.last) > silenceLimit {
			nodes = append(nodes, from.node)
			delete(s.heard, boot)
		}
	}
	return nodes
}
