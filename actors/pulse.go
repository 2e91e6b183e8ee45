package actors

import (
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/prometheus/client_golang/prometheus"
)

// pulse is how a top-level actor is felt: how many messages wait for it, and whether it takes its turns. The actor itself knows nothing of
// it: a middleware answers beats before they reach it.
type pulse struct {
	name, kind string
	pid        *actor.PID
	box        actor.Mailbox
	born       time.Time
	took       prometheus.Observer

	handled int64 // touched by the actor's own turns only, as is the next
	was     int64 // handled, at the last beat

	processed atomic.Int64 // handled, as of the last beat
	active    atomic.Int64 // unix ns of the last beat that found something handled since the one before
	asked     atomic.Int64 // unix ns of the beat that is not answered yet; 0 if none
	restarts  atomic.Int64
}

// beat asks an actor whether it takes its turns.
type beat struct{}

const (
	pulseEvery = time.Second
	// stalledAfter is how long an actor may leave a beat unanswered before it counts as stalled.
	stalledAfter = 3 * pulseEvery
	// timeOneIn is how many messages go by for one whose handling is timed: reading the clock for each would cost more than many of them.
	timeOneIn = 64
)

// mailbox is the ordinary mailbox, held on to for its count.
func (p *pulse) mailbox() actor.Mailbox {
	p.box = actor.Unbounded()()
	return p.box
}

// feel is the middleware. For a message that is no beat it costs an addition.
func (p *pulse) feel(restarted prometheus.Counter) actor.ReceiverMiddleware {
	return func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			switch e.Message.(type) {
			case *beat:
				p.answer(time.Now())
				return
			case *actor.Restarting:
				p.restarts.Add(1)
				restarted.Inc()
			}
			if p.handled++; p.handled%timeOneIn != 0 {
				next(c, e)
				return
			}
			began := time.Now()
			next(c, e)
			p.took.Observe(time.Since(began).Seconds())
		}
	}
}

func (p *pulse) answer(now time.Time) {
	if p.handled != p.was {
		p.was = p.handled
		p.active.Store(now.UnixNano())
	}
	p.processed.Store(p.handled)
	p.asked.Store(0)
}

// stalled says whether the actor has left a beat unanswered for too long.
func (p *pulse) stalled(now time.Time) bool {
	asked := p.asked.Load()
	return asked != 0 && now.Sub(time.Unix(0, asked)) > stalledAfter
}

// state is one word: starting, stalled, busy or idle.
func (p *pulse) state(now time.Time) string {
	switch {
	case p.stalled(now):
		return "stalled"
	case p.active.Load() == 0 && now.Sub(p.born) < pulseEvery:
		return "starting"
	case p.box.UserMessageCount() > 0:
		return "busy"
	}
	return "idle"
}
