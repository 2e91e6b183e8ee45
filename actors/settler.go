package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// settlerRef is the settler: what is committed passes through it to the inbox (which lets go of the job), to the broadcaster (which shows it
// on this node) and to the bus (which tells everybody else). It gathers while a batch is under way, as the journal does. A
// lease that can't be settled is tried again for as long as the node lives, and so is the telling of an end; any other state that can't be
// published is not: the next one, or the watchers' own look into the store, makes up for it.
//
// Supervision: top level, restarted for ever with its state.
//
//	message   from                   idle              flying
//	landed    journal                show, fly         show, gather
//	outgoing  job actors             fly               gather
//	flew      the flight's goroutine -                 tell job actors, fly again
//	resume    timer                  fly               ignored
//	idle      App                    answer            answer once nothing is left
type settlerRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

// committed takes what the journal has written.
func (r settlerRef) committed(batch []*outgoing, outcomes []persistence.Outcome) {
	r.system.Root.Send(r.pid, &landed{batch, outcomes})
}

// settle ends a lease whose job has nothing to be recorded.
func (r settlerRef) settle(w *outgoing) { r.system.Root.Send(r.pid, &landed{[]*outgoing{w}, nil}) }

// publish tells everybody outside this node.
func (r settlerRef) publish(w *outgoing) { r.system.Root.Send(r.pid, w) }

// flush waits until nothing is left to settle and publish, or the context ends.
func (r settlerRef) flush(ctx context.Context) error { return flush(ctx, r.system, r.pid) }

// show publishes a state that is true but need not be durable: progress.
func (a *App) show(j *job.Job) {
	a.broadcaster.changed([]*job.Job{j})
	a.settler.publish(&outgoing{job: j})
}

type (
	landed struct {
		batch    []*outgoing
		outcomes []persistence.Outcome // nil: nothing was written
	}
	flew struct {
		settled     []*outgoing
		failed      []*outgoing // leases to be tried again
		unpublished []*job.Job  // ends that nobody was told of, to be tried again
		err         error
	}
	resume struct{}
)

type settler struct {
	app     *App
	leases  []*outgoing          // to settle, then publish
	states  map[job.ID]*outgoing // to publish
	flying  bool
	paused  bool
	backoff time.Duration
	waiters waiters
}

// maxUnpublished bounds the states that wait for a bus that is down.
const maxUnpublished = 20_000

func spawnSettler(a *App) (settlerRef, error) {
	pid, err := a.spawn("settler", &settler{app: a, states: map[job.ID]*outgoing{}})
	return settlerRef{a.system, pid}, err
}

// Receive implements actor.Actor.
func (s *settler) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *landed:
		s.onLanded(c, m)
		s.fly(c)
	case *outgoing:
		s.gather(m)
		s.fly(c)
	case *flew:
		s.onFlew(c, m)
	case *resume:
		s.paused = false
		s.fly(c)
	case *idle:
		s.waiters = append(s.waiters, m.done)
		s.checkIdle()
	}
}

func (s *settler) checkIdle() {
	if s.flying || len(s.leases)+len(s.states) > 0 {
		return
	}
	s.waiters.release()
}

func (s *settler) onLanded(c actor.Context, m *landed) {
	shown := make([]*job.Job, 0, len(m.batch))
	for i, w := range m.batch {
		if m.outcomes == nil {
			s.leases = append(s.leases, w)
			continue
		}
		if w.accepted {
			s.app.unsaved.Delete(w.job.ID)
		}
		if !m.outcomes[i].Applied {
			if w.actor != nil {
				c.Send(w.actor, &refused{w.job.Rev, m.outcomes[i].Current})
			}
			continue
		}
		if w.shown {
			if w.actor != nil {
				c.Send(w.actor, &committed{w.job.Rev})
			}
			continue
		}
		shown = append(shown, w.job)
		if w.settlement != nil {
			s.leases = append(s.leases, w)
			delete(s.states, w.job.ID)
			continue
		}
		s.gather(w)
		if w.actor != nil {
			c.Send(w.actor, &committed{w.job.Rev})
		}
	}
	if len(shown) > 0 {
		s.app.broadcaster.changed(shown)
	}
}

func (s *settler) gather(w *outgoing) {
	if older, ok := s.states[w.job.ID]; ok && older.job.Rev >= w.job.Rev || !ok && len(s.states) >= maxUnpublished {
		return
	}
	s.states[w.job.ID] = w
}

func (s *settler) fly(c actor.Context) {
	if s.flying || s.paused || len(s.leases)+len(s.states) == 0 {
		return
	}
	n := min(len(s.leases), persistence.MaxBatch)
	leases := s.leases[:n:n]
	s.leases = s.leases[n:]
	if len(s.leases) == 0 {
		s.leases = nil
	}
	states := make([]*job.Job, 0, min(len(s.states), persistence.MaxBatch))
	for id, w := range s.states {
		if len(states) == persistence.MaxBatch {
			break
		}
		states = append(states, w.job)
		delete(s.states, id)
	}
	s.flying = true
	self, root := c.Self(), c.ActorSystem().Root
	go func() { root.Send(self, s.app.settleAndPublish(leases, states)) }()
}

func (s *settler) onFlew(c actor.Context, m *flew) {
	s.flying = false
	ended := map[string][]persistence.Lease{}
	for _, w := range m.settled {
		ended[w.job.Queue] = append(ended[w.job.Queue], w.settlement.Lease)
	}
	for queue, leases := range ended {
		s.app.intakes[queue].gone(leases...)
	}
	for _, w := range m.settled {
		if w.actor != nil {
			c.Send(w.actor, &settled{})
		}
	}
	if m.err == nil {
		s.backoff = 0
		s.fly(c)
		s.checkIdle()
		return
	}
	s.leases = append(m.failed, s.leases...)
	for _, j := range m.unpublished {
		s.gather(&outgoing{job: j})
	}
	s.backoff = min(max(2*s.backoff, 50*time.Millisecond), 2*time.Second)
	s.app.log.Warn("the inbox or the bus did not answer; trying again", "leases", len(m.failed), "wait", s.backoff, "error", m.err)
	s.paused = true
	s.app.timers.SendOnce(s.backoff/2+rand.N(s.backoff/2), c.Self(), &resume{})
}

const settleTimeout = 5 * time.Second

// settleAndPublish is one flight. What is committed may be shown whether its lease is settled or not, so both go on at the same
// time, and share the server's write to disk.
func (a *App) settleAndPublish(leases []*outgoing, states []*job.Job) *flew {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	result := &flew{}
	for _, w := range leases {
		if w.history != nil && !w.shown {
			w.shown = true // also if its lease has to be settled again
			states = append(states, w.job)
		}
	}
	var published sync.WaitGroup
	var publishErr error
	published.Go(func() { publishErr = a.publishStates(ctx, states) })
	queues := map[string][]*outgoing{}
	for _, w := range leases {
		queues[w.job.Queue] = append(queues[w.job.Queue], w)
	}
	for queue, batch := range queues {
		if err := a.settleQueue(ctx, queue, batch); err != nil {
			result.failed = append(result.failed, batch...)
			result.err = errors.Join(result.err, err)
			continue
		}
		result.settled = append(result.settled, batch...)
	}
	published.Wait()
	if publishErr != nil {
		a.metrics.bus.WithLabelValues("out", "error").Add(float64(len(states)))
		for _, j := range states {
			if j.Status.Terminal() {
				result.unpublished = append(result.unpublished, j)
			}
		}
		result.err = errors.Join(result.err, publishErr)
	}
	return result
}

func (a *App) settleQueue(ctx context.Context, queue string, batch []*outgoing) error {
	settlements := make([]persistence.Settlement, len(batch))
	for i, w := range batch {
		settlements[i] = *w.settlement
	}
	held, err := a.config.Inbox.Settle(ctx, queue, settlements)
	if err != nil {
		return err
	}
	for i, w := range batch {
		if w.rebase > 0 && held[i] {
			if err := a.refill(ctx, queue, w.job, w.rebase); err != nil {
				a.log.Warn("a job was not put back; the reconciler will", "job", w.job.ID, "error", err)
			}
		}
	}
	return nil
}

func (a *App) publishStates(ctx context.Context, jobs []*job.Job) error {
	for len(jobs) > 0 {
		n := min(len(jobs), persistence.MaxBatch)
		states := make([]persistence.State, 0, n)
		seen := make(map[job.ID]int, n)
		for _, j := range jobs[:n] {
			view := j.View()
			data, err := view.AppendJSON(nil)
			if err != nil {
				a.log.Error("a state can't be encoded", "job", j.ID, "error", err)
				continue
			}
			state := persistence.State{ID: j.ID, Version: view.Version, Terminal: view.Terminal, Final: view.Status == job.Completed, JSON: data}
			if at, twice := seen[j.ID]; twice {
				states[at] = state
				continue
			}
			seen[j.ID] = len(states)
			states = append(states, state)
		}
		if err := a.config.Bus.Publish(ctx, states); err != nil {
			return err
		}
		a.metrics.bus.WithLabelValues("out", "ok").Add(float64(len(states)))
		jobs = jobs[n:]
	}
	return nil
}
