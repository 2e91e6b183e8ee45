package actors

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// walk is the reconciler: it goes over the live rows of the store, in small steps and for ever, and puts back into the
// inbox what the inbox does not know. When something may have been lost it hurries, twice over: what waited is put back at once, and
// what ran only after its holder had the time of a lease to put it back itself.
type walk struct {
	app     *App
	after   job.ID
	hurry   bool
	rerun   time.Time // when to hurry once more, for what ran; zero if not
	stepped time.Time
	busy    bool
	failed  bool
	missed  bool // something may have been lost while the walk was under way
	insist  bool // this node knows of something that the inbox lacks: it hurries whoever's duty that is
}

// again makes the walk begin anew and hurry.
func (w *walk) again() {
	if w.busy || w.hurry {
		w.missed = true
		return
	}
	w.hurry, w.after = true, job.ID{}
	w.rerun = time.Now().Add(w.app.config.Lease * 5 / 4)
}

// step goes on, if it is time to. A pace above 1 says that the walk is somebody else's duty: then there is no hurry here.
func (w *walk) step(now time.Time, pace int, start func(func(ctx context.Context) any)) {
	if w.insist {
		pace = 1
	}
	if !w.rerun.IsZero() && now.After(w.rerun) && !w.hurry && !w.busy {
		w.hurry, w.after, w.rerun = true, job.ID{}, time.Time{}
	}
	if w.busy || (!w.hurry || w.failed || pace > 1) && now.Sub(w.stepped) < walkEvery*time.Duration(pace) {
		return
	}
	w.busy, w.stepped = true, now
	after, hurry := w.after, w.hurry
	waitingOnly := hurry && !w.rerun.IsZero()
	start(func(ctx context.Context) any { return w.app.reconcile(ctx, after, hurry, waitingOnly) })
}

func (w *walk) onStep(m *refilled) {
	w.busy, w.failed = false, m.err != nil
	if m.err != nil {
		w.app.log.Warn("the reconciler stopped; it goes on later", "error", m.err)
		return
	}
	w.after = m.next
	if m.next.IsZero() {
		w.hurry = false
	}
	if w.missed && !w.hurry {
		w.missed = false
		w.again()
	} else if !w.hurry {
		w.insist = false
	}
}

// reconcile compares live rows with the inbox, from after the given id: one batch, or in a hurry as many as its time allows.
func (a *App) reconcile(ctx context.Context, after job.ID, hurry, waitingOnly bool) *refilled {
	for {
		records, err := a.config.Store.Live(ctx, after, persistence.MaxBatch)
		if err == nil {
			err = a.refillUnknown(ctx, records, waitingOnly)
		}
		if err != nil {
			return &refilled{next: after, err: err}
		}
		if len(records) < persistence.MaxBatch {
			return &refilled{}
		}
		after = records[len(records)-1].Job.ID
		if deadline, ok := ctx.Deadline(); !hurry || ok && time.Until(deadline) < time.Second {
			return &refilled{next: after}
		}
	}
}

func (a *App) refillUnknown(ctx context.Context, records []persistence.Record, waitingOnly bool) error {
	queues := map[string][]*persistence.Record{}
	for i := range records {
		j := &records[i].Job
		if _, ours := a.queues[j.Queue]; ours && (!j.Status.Running() || !waitingOnly && !a.held(j)) {
			queues[j.Queue] = append(queues[j.Queue], &records[i])
		}
	}
	for queue, batch := range queues {
		ids := make([]job.ID, len(batch))
		for i, r := range batch {
			ids[i] = r.Job.ID
		}
		known, err := a.config.Inbox.Known(ctx, queue, ids)
		if err != nil {
			return err
		}
		var entries []persistence.Entry
		for i, r := range batch {
			if known[i] {
				continue
			}
			entry, err := verifiedEntry(&r.Job)
			if err != nil {
				return err
			}
			entries = append(entries, entry)
		}
		if len(entries) == 0 {
			continue
		}
		if _, err := a.config.Inbox.Enqueue(ctx, queue, entries); err != nil {
			return err
		}
		a.metrics.requeued.WithLabelValues(queue).Add(float64(len(entries)))
		a.log.Warn("jobs were missing in the inbox and were put back", "queue", queue, "jobs", len(entries))
		if a.open() {
			a.intakes[queue].wake()
		}
	}
	return nil
}

// held says whether the row of a running job is so new that its holder, if the inbox has forgotten it, is about to give it
// back itself. A row from the future is by a clock that is wrong, and tells nothing.
func (a *App) held(j *job.Job) bool { return time.Since(j.Updated).Abs() < a.config.Lease*5/4 }

// verifiedEntry is a live row as an inbox entry whose next claim is not a first one. Whoever claims it asks the store
// first: the row may have ended since it was read here.
func verifiedEntry(j *job.Job) (persistence.Entry, error) { return entryOf(j, max(j.Token, 1)) }

// refillOne puts one job into the inbox that somebody else put into the store.
func (a *App) refillOne(id job.ID) {
	ctx, cancel := context.WithTimeout(a.background, roundTimeout)
	defer cancel()
	records, err := a.config.Store.Get(ctx, []job.ID{id})
	if err != nil || len(records) == 0 || records[0].Job.Status.Terminal() {
		return // the walk comes by
	}
	if err := a.refillUnknown(ctx, records, false); err != nil {
		a.log.Warn("a job waits for the reconciler", "job", id, "error", err)
	}
}
