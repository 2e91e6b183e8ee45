package httpapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// Why a stream is ended by this side, as a cause of its context.
var (
	errDrain  = errors.New("drain")
	errMaxAge = errors.New("max_age")
)

// streams counts and bounds the open streams, and ends them all when the server drains.
type streams struct {
	limits  StreamLimits
	metrics *metrics

	mu          sync.Mutex
	open        map[*ticket]struct{}
	byPrincipal map[string]int
	byIP        map[string]int
	closing     bool
}

// ticket is one stream's place.
type ticket struct {
	principal, ip string
	end           context.CancelCauseFunc
	slot          *time.Timer
}

func newStreams(limits StreamLimits, m *metrics) *streams {
	return &streams{limits: limits, metrics: m, open: map[*ticket]struct{}{}, byPrincipal: map[string]int{}, byIP: map[string]int{}}
}

func (s *streams) draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// enter gives a place, or says which bound is reached. The end function is called when the stream has to end.
func (s *streams) enter(principal, ip string, end context.CancelCauseFunc) (*ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		s.metrics.rejected.WithLabelValues("draining").Inc()
		return nil, refuse("draining", "the node is shutting down")
	case len(s.open) >= s.limits.Total:
		return nil, s.full("%d streams are open on this node", s.limits.Total)
	case principal != "" && s.byPrincipal[principal] >= s.limits.PerPrincipal:
		return nil, s.full("%d streams are open for this token", s.limits.PerPrincipal)
	case s.byIP[ip] >= s.limits.PerIP:
		return nil, s.full("%d streams are open from this address", s.limits.PerIP)
	}
	t := &ticket{principal: principal, ip: ip, end: end}
	s.open[t] = struct{}{}
	s.byPrincipal[principal]++
	s.byIP[ip]++
	return t, nil
}

func (s *streams) full(format string, limit int) error {
	s.metrics.rejected.WithLabelValues("limit").Inc()
	return refuse("too_many", format, limit)
}

func (s *streams) leave(t *ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, t)
	if t.slot != nil {
		t.slot.Stop()
	}
	down(s.byPrincipal, t.principal)
	down(s.byIP, t.ip)
}

func down(counts map[string]int, key string) {
	if counts[key]--; counts[key] <= 0 {
		delete(counts, key)
	}
}

// drain refuses new streams and ends each open one at a moment of its own within the window, so that their clients do not come back
// all at once.
func (s *streams) drain(window time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	s.closing = true
	for t := range s.open {
		t.slot = time.AfterFunc(time.Duration(rand.Int64N(int64(window)+1)), func() { t.end(errDrain) })
	}
}

// Drain begins the end: /readyz fails, new streams are refused, and the open ones end within the window, each with a word to its
// client. It returns at once.
func (h *Handler) Drain(window time.Duration) { h.streams.drain(max(window, 0)) }
