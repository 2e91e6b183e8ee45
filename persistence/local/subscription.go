package local

import (
	"sync"

	"github.com/meta-ad-studio/troupe/persistence"
)

// MaxBehind bounds the bytes that wait for one subscriber. What is over it is dropped, and the subscriber told of a gap.
const MaxBehind = 32 << 20

// deliveryCost is what a delivery counts for besides its states.
const deliveryCost = 256

// subscription is what waits for one subscriber.
type subscription struct {
	node string
	more chan struct{} // has an element if something waits

	mu      sync.Mutex
	waiting []persistence.Delivery
	size    int
	gap     bool // something was dropped since the last delivery
}

func (s *subscription) add(d persistence.Delivery, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if size += deliveryCost; s.size+size > MaxBehind {
		s.gap = true
	} else {
		d.Gap, s.gap = s.gap, false
		s.waiting = append(s.waiting, d)
		s.size += size
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// take empties the subscription. A gap at its end is a delivery of its own: nothing may follow that could carry it.
func (s *subscription) take() []persistence.Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.waiting
	if s.gap {
		all = append(all, persistence.Delivery{Gap: true})
	}
	s.waiting, s.size, s.gap = nil, 0, false
	return all
}
