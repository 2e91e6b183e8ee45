package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// journalRef is the journal: the one writer of jobs to the store. While one batch commits, the next gathers, so that batches are as
// large as the load makes them and no timer delays a lone write. Within a batch only the latest state of a job is written,
// with all its lines of history.
//
// Supervision: top level, restarted for ever with its state.
//
//	message    from                  idle                  committing
//	write      job actors, App       begin a commit        gather
//	flown      the commit's goroutine  -                   pass on to the settler, begin the next
//	again      timer                 begin a commit        ignored
//	idle       App                   answer                answer once nothing is left
type journalRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

// write has the job's state committed, then its lease settled if it says so, then published.
func (r journalRef) write(w *outgoing) { r.system.Root.Send(r.pid, w) }

// flush waits until nothing is left to write, or the context ends.
func (r journalRef) flush(ctx context.Context) error { return flush(ctx, r.system, r.pid) }

// idle asks an actor to close the channel once it has nothing left to do.
type idle struct{ done chan struct{} }

// waiters are those who asked.
type waiters []chan struct{}

func (w *waiters) release() {
	for _, done := range *w {
		close(done)
	}
	*w = nil
}

func flush(ctx context.Context, system *actor.ActorSystem, pid *actor.PID) error {
	done := make(chan struct{})
	system.Root.Send(pid, &idle{done})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s did not finish: %w", pid.Id, context.Cause(ctx))
	}
}

// outgoing is a job's state on its way to the store, to the inbox and to whoever watches.
type outgoing struct {
	job        *job.Job // never changed once sent
	history    []job.Transition
	key        *persistence.Key
	settlement *persistence.Settlement // what to do with the lease once this is committed; nil keeps it
	rebase     int64                   // put the job back into the inbox with this token once its lease is settled
	actor      *actor.PID              // told what became of it; nil if nobody cares
	accepted   bool                    // the first row of a job just accepted
	shown      bool                    // everybody has been shown it: it is progress
	changed    time.Time               // when the oldest part of this was said
}

// merge takes what an older, uncommitted write of the same job says.
func (w *outgoing) merge(older *outgoing) {
	w.history = append(older.history[:len(older.history):len(older.history)], w.history...)
	if w.key == nil {
		w.key = older.key
	}
	w.accepted = w.accepted || older.accepted
	w.shown = w.shown && older.shown
	w.changed = older.changed
}

type (
	flown struct {
		batch    []*outgoing
		outcomes []persistence.Outcome
		took     time.Duration
		err      error
	}
	again struct{}
)

type journal struct {
	app     *App
	pending map[job.ID]*outgoing
	order   []job.ID // of pending
	unsaved int      // pending first rows
	flying  bool
	paused  bool          // waiting to try again
	backoff time.Duration // of the last failure; 0 after a success
	waiters waiters
	writes  []persistence.Write // of the commit under way; kept for the next
}

func spawnJournal(a *App) (journalRef, error) {
	pid, err := a.spawn("journal", &journal{app: a, pending: map[job.ID]*outgoing{}})
	return journalRef{a.system, pid}, err
}

// Receive implements actor.Actor.
func (jr *journal) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *outgoing:
		jr.onWrite(c, m)
	case *flown:
		jr.onFlown(c, m)
	case *again:
		jr.paused = false
		jr.fly(c)
	case *idle:
		jr.waiters = append(jr.waiters, m.done)
		jr.checkIdle()
	}
}

func (jr *journal) checkIdle() {
	if jr.flying || len(jr.order) > 0 {
		return
	}
	jr.app.metrics.lag.Set(0)
	jr.waiters.release()
}

func (jr *journal) onWrite(c actor.Context, w *outgoing) {
	w.changed = time.Now()
	if w.accepted && jr.unsaved >= maxUnsaved {
		// The inbox has the job, and its row is written when it is claimed.
		jr.app.metrics.unsavedDropped.Inc()
		jr.app.unsaved.Delete(w.job.ID)
		return
	}
	jr.gather(w)
	jr.fly(c)
}

// gather adds a write to what is pending of its job: the later state wins, whatever came first.
func (jr *journal) gather(w *outgoing) {
	id := w.job.ID
	if w.accepted {
		jr.unsaved++
	}
	switch older, ok := jr.pending[id]; {
	case !ok:
		jr.order = append(jr.order, id)
		jr.pending[id] = w
	case older.job.Rev > w.job.Rev: // an acceptance that its own claim overtook
		older.merge(w)
		jr.app.metrics.coalesced.Inc()
	default:
		w.merge(older)
		jr.pending[id] = w
		jr.app.metrics.coalesced.Inc()
	}
	jr.app.metrics.pending.Set(float64(len(jr.pending)))
}

func (jr *journal) fly(c actor.Context) {
	if jr.flying || jr.paused || len(jr.order) == 0 {
		return
	}
	jr.app.metrics.lag.Set(time.Since(jr.pending[jr.order[0]].changed).Seconds())
	n := min(len(jr.order), persistence.MaxBatch)
	batch := make([]*outgoing, n)
	for i, id := range jr.order[:n] {
		batch[i] = jr.pending[id]
		delete(jr.pending, id)
		if batch[i].accepted {
			jr.unsaved--
		}
	}
	jr.order = jr.order[n:]
	if len(jr.order) == 0 {
		jr.order = nil
	}
	jr.flying = true
	self, root := c.Self(), c.ActorSystem().Root
	go func() { root.Send(self, jr.commit(batch)) }()
}

func (jr *journal) onFlown(c actor.Context, m *flown) {
	jr.flying = false
	jr.app.metrics.wrote(m)
	jr.app.storeHealth.note(time.Now().Add(-m.took), m.err)
	if m.err != nil {
		jr.onFailed(c, m)
		return
	}
	jr.backoff = 0
	jr.app.settler.committed(m.batch, m.outcomes)
	jr.fly(c)
	jr.checkIdle()
}

// onFailed puts the batch back, each write under what came in meanwhile, and tries again after a pause.
func (jr *journal) onFailed(c actor.Context, m *flown) {
	for _, w := range m.batch {
		if w.accepted {
			jr.unsaved++
		}
		if newer, ok := jr.pending[w.job.ID]; ok {
			if newer.job.Rev < w.job.Rev { // an acceptance that its own claim overtook
				w, newer = newer, w
				jr.pending[newer.job.ID] = newer
			}
			newer.merge(w)
			continue
		}
		jr.order = append(jr.order, w.job.ID)
		jr.pending[w.job.ID] = w
	}
	jr.backoff = min(max(2*jr.backoff, 50*time.Millisecond), 2*time.Second)
	jr.app.log.Warn("the store did not take a batch; trying again", "jobs", len(m.batch), "wait", jr.backoff, "error", m.err)
	jr.paused = true
	jr.app.timers.SendOnce(jr.backoff/2+rand.N(jr.backoff/2), c.Self(), &again{})
}

const commitTimeout = 15 * time.Second

// commit writes a batch. A batch that holds a write which the store will never take is split until that one stands alone.
func (jr *journal) commit(batch []*outgoing) *flown {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	for _, w := range batch {
		jr.writes = append(jr.writes, persistence.Write{Job: *w.job, History: w.history, Key: w.key})
	}
	outcomes, err := jr.app.commitSplitting(ctx, jr.writes)
	clear(jr.writes)
	jr.writes = jr.writes[:0]
	return &flown{batch: batch, outcomes: outcomes, took: time.Since(began), err: err}
}

func (a *App) commitSplitting(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	outcomes, err := a.config.Store.Commit(ctx, writes)
	if !errors.Is(err, persistence.ErrInvalid) {
		return outcomes, err
	}
	if len(writes) == 1 {
		j := &writes[0].Job
		a.log.Error("the store will never take this job's state; it is recorded as failed", "job", j.ID, "status", j.Status, "error", err)
		a.metrics.writeErrors.WithLabelValues("other").Inc()
		return a.config.Store.Commit(ctx, []persistence.Write{stripped(writes[0], err)})
	}
	half := len(writes) / 2
	first, err := a.commitSplitting(ctx, writes[:half])
	if err != nil {
		return nil, err
	}
	second, err := a.commitSplitting(ctx, writes[half:])
	return append(first, second...), err
}

// stripped is a write without the parts that came from outside, so that a store which refused them can take the rest.
func stripped(w persistence.Write, cause error) persistence.Write {
	j := w.Job
	j.Payload, j.Result, j.Checkpoint = []byte(`null`), nil, nil
	j.Failure = job.NewFailure("unstorable", cause.Error())
	return persistence.Write{Job: j, Key: w.Key}
}
