package simulation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// dice are random numbers that many goroutines may draw from.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed, stream uint64) *dice { return &dice{rng: rand.New(rand.NewPCG(seed, stream))} }

func (d *dice) float() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.Float64()
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// between is a duration within both.
func (d *dice) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.float()*float64(high-low))
}

// state is how a link is.
type state struct {
	dead    bool          // its node has crashed: nothing passes ever again
	down    bool          // the server does not answer
	cut     bool          // calls fail at once
	stalled bool          // calls wait; those that are given up may arrive later all the same
	slow    time.Duration // each call takes up to so much longer
	lossy   float64       // the share of calls that take effect and whose answers are lost
}

// link is one node's way to one server.
type link struct {
	dice *dice

	mu      sync.Mutex
	state   state
	changed chan struct{} // closed when the state changes
}

func newLink(d *dice) *link { return &link{dice: d, changed: make(chan struct{})} }

func (l *link) set(change func(*state)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.state)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *link) look() (state, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state, l.changed
}

var (
	errCut  = errors.New("the link is cut")
	errDead = errors.New("the node is dead")
	errLate = errors.New("the call was given up while it was under way")
	errLost = errors.New("the answer was lost")
)

// maxLatency is how long a call takes at most over a link that is well.
const maxLatency = 3 * time.Millisecond

// pass lets a request or an answer go over the link.
func (l *link) pass(ctx context.Context, latency time.Duration) error {
	for travelled := latency == 0; ; {
		s, changed := l.look()
		switch {
		case s.dead:
			return errDead
		case s.stalled:
			select {
			case <-changed:
			case <-ctx.Done():
				return errLate
			}
			continue
		case s.cut, s.down:
			return errCut
		case travelled:
			return nil
		}
		if s.slow > 0 {
			latency += l.dice.between(0, s.slow)
		}
		select {
		case <-time.After(latency):
			travelled = true
		case <-ctx.Done():
			return errLate
		}
	}
}

// over calls a server over a link. What the call refers to must not be changed after over has returned: the call may still be under way.
func over[T any](ctx context.Context, l *link, call func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if ctx.Err() != nil {
		return none, unavailable(ctx.Err())
	}
	detached := context.WithoutCancel(ctx)
	latency := time.Duration(1+l.dice.n(int(maxLatency/time.Millisecond))) * time.Millisecond
	if err := l.pass(ctx, latency); err != nil {
		if errors.Is(err, errLate) && l.dice.float() < 0.5 {
			go func() {
				if l.pass(detached, 0) == nil {
					_, _ = call(detached)
				}
			}()
		}
		return none, unavailable(err)
	}
	result, err := call(detached)
	s, _ := l.look()
	if s.lossy > 0 && l.dice.float() < s.lossy {
		return none, unavailable(errLost)
	}
	var back time.Duration
	if s.slow > 0 {
		back = time.Microsecond
	}
	if err := l.pass(ctx, back); err != nil {
		return none, unavailable(err)
	}
	return result, err
}

func unavailable(err error) error { return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err) }

// does is over for calls without an answer.
func does(ctx context.Context, l *link, call func(ctx context.Context) error) error {
	_, err := over(ctx, l, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}
