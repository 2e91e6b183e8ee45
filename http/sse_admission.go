package httpapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

// Why a stream is ended by this side, as a cause of its context.
var (
	errDrain     = errors.New("drain")
	errMaxAge    = errors.New("max_age")
	errOutOfTime = errors.New("expired") // what its client showed to open it
	errRevoked   = errors.New("revoked") // somebody logged out of the session that opened it
)

// streams counts and bounds the open streams, and ends them all when the server drains.
type streams struct {
	limits  StreamLimits
	metrics *metrics

	mu       sync.Mutex
	open     map[*seat]struct{}
	byHolder map[string]int
	byPlace  map[string]int
	closed   map[string]int64 // by reason
	closing  bool
}

// seat is one stream's place. Who looks at the streams reads it while the stream goes on.
type seat struct {
	visitor
	id     string
	opened time.Time
	end    context.CancelCauseFunc
	slot   *time.Timer

	sent   atomic.Int64            // frames
	shows  atomic.Pointer[showing] // nil until it is open
	reason string                  // why it ended, set by its own goroutine before it leaves; empty if it never was open
}

// visitor is who opens a stream.
type visitor struct {
	principal string
	holder    string // whose streams are counted together; empty is nobody's
	session   string // that it was opened with; empty if with none
	ip, proto string
}

// showing is what an open stream shows, and how it keeps up.
type showing struct {
	topics  []string // the first few
	more    int
	mode    string
	backlog func() actors.Backlog // nil: there is none
}

// visitorOf is who has sent the request.
func visitorOf(x *exchange, proto string) visitor {
	v := visitor{principal: x.principal, holder: x.principal, session: x.session, ip: x.ip, proto: proto}
	if x.grant != nil {
		v.holder = x.grant.holder()
	}
	return v
}

func newStreams(limits StreamLimits, m *metrics) *streams {
	return &streams{
		limits: limits, metrics: m, open: map[*seat]struct{}{}, byHolder: map[string]int{}, byPlace: map[string]int{}, closed: map[string]int64{},
	}
}

func (s *streams) draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// enter gives a seat, or says which bound is reached. The end function is called when the stream has to end.
func (s *streams) enter(v visitor, id string, end context.CancelCauseFunc) (*seat, error) {
	place := neighbourhood(v.ip)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		s.metrics.rejected.WithLabelValues("draining").Inc()
		return nil, refuse("draining", "the node is shutting down")
	case len(s.open) >= s.limits.Total:
		return nil, s.full("%d streams are open on this node", s.limits.Total)
	case v.holder != "" && s.byHolder[v.holder] >= s.limits.PerPrincipal:
		return nil, s.full("%d streams are open for this token", s.limits.PerPrincipal)
	case s.byPlace[place] >= s.limits.PerIP:
		return nil, s.full("%d streams are open from this address", s.limits.PerIP)
	}
	t := &seat{visitor: v, id: id, opened: time.Now(), end: end}
	s.open[t] = struct{}{}
	s.byHolder[v.holder]++
	s.byPlace[place]++
	return t, nil
}

func (s *streams) full(format string, limit int) error {
	s.metrics.rejected.WithLabelValues("limit").Inc()
	return refuse("too_many", format, limit)
}

func (s *streams) leave(t *seat) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, t)
	if t.slot != nil {
		t.slot.Stop()
	}
	down(s.byHolder, t.holder)
	down(s.byPlace, neighbourhood(t.ip))
	if t.reason != "" {
		s.closed[t.reason]++
	}
}

// revoke ends the streams of a session that somebody has logged out of.
func (s *streams) revoke(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.open {
		if t.session == session {
			t.end(errRevoked)
		}
	}
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
