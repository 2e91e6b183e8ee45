package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// door accepts the jobs of one queue. Submissions that come while a batch is being made durable share the next one, so that a
// hundred clients cost one round trip and one commit, and a lone one waits for nobody.
type door struct {
	app   *App
	queue Queue

	mu      sync.Mutex
	pending []*knock
	busy    bool
	closed  bool
}

// knock is one submission at the door.
type knock struct {
	job    job.Job
	key    *persistence.Key
	answer chan verdict // buffered
}

type verdict struct {
	accepted bool
	holder   persistence.BoundKey // of the key, if not accepted
	err      error
}

// maxKnocks bounds the submissions of one queue that wait at the door.
const maxKnocks = 20_000

const acceptTimeout = 5 * time.Second

func newDoor(a *App, q Queue) *door { return &door{app: a, queue: q} }

// knock waits until the job is durable. When the context ends first the outcome is unknown: the job may have been accepted.
func (d *door) knock(ctx context.Context, knocks []*knock) error {
	d.mu.Lock()
	switch {
	case d.closed:
		d.mu.Unlock()
		return ErrClosed
	case len(d.pending)+len(knocks) > maxKnocks:
		d.mu.Unlock()
		return fmt.Errorf("%w: %d submissions wait at the door of queue %s", ErrBusy, maxKnocks, d.queue.Name)
	}
	d.pending = append(d.pending, knocks...)
	if !d.busy {
		d.busy = true
		go d.serve()
	}
	d.mu.Unlock()
	for _, k := range knocks {
		select {
		case v := <-k.answer:
			k.answer <- v // for the caller
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// serve accepts what waits, batch by batch, until nothing does.
func (d *door) serve() {
	for {
		d.mu.Lock()
		n := min(len(d.pending), persistence.MaxBatch)
		batch := d.pending[:n:n]
		d.pending = d.pending[n:]
		if n == 0 {
			d.pending, d.busy = nil, false
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		d.accept(batch)
	}
}

func (d *door) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
}

func (d *door) accept(batch []*knock) {
	ctx, cancel := context.WithTimeout(context.Background(), acceptTimeout)
	defer cancel()
	if d.queue.StoreFirst {
		d.acceptInStore(ctx, batch)
	} else {
		d.acceptInInbox(ctx, batch)
	}
}

// acceptInStore makes the rows durable, answers, and hands the jobs to the inbox. When the inbox can't be reached, the reconciler hands
// them over once it can.
func (d *door) acceptInStore(ctx context.Context, batch []*knock) {
	writes := make([]persistence.Write, len(batch))
	for i, k := range batch {
		writes[i] = persistence.Write{Job: k.job, History: []job.Transition{k.job.FirstTransition()}, Key: k.key}
	}
	acceptances, err := d.app.config.Store.Accept(ctx, writes)
	if err != nil {
		answerAll(batch, fmt.Errorf("accept into the store: %w", err))
		return
	}
	var jobs []*job.Job
	for i, acc := range acceptances {
		if acc.Accepted {
			jobs = append(jobs, &batch[i].job)
		}
	}
	for i, acc := range acceptances {
		batch[i].answer <- verdict{accepted: acc.Accepted, holder: acc.Holder}
	}
	d.handOver(ctx, jobs)
}

// handOver puts jobs that the store has into the inbox. Whoever claims one asks the store first: it may have been cancelled
// before it got there.
func (d *door) handOver(ctx context.Context, jobs []*job.Job) {
	if len(jobs) == 0 {
		return
	}
	entries, err := verifiedEntries(jobs)
	if err == nil {
		_, err = d.app.config.Inbox.Enqueue(ctx, d.queue.Name, entries)
	}
	if err != nil {
		d.app.log.Warn("accepted jobs wait for the inbox", "queue", d.queue.Name, "jobs", len(jobs), "error", err)
		d.app.timekeeper.refill()
	}
	d.app.broadcaster.changed(jobs)
	for _, j := range jobs {
		d.app.settler.publish(&outgoing{job: j})
	}
}

// acceptInInbox makes the jobs durable in the inbox, answers, and journals the rows.
func (d *door) acceptInInbox(ctx context.Context, batch []*knock) {
	entries := make([]persistence.Entry, len(batch))
	for i, k := range batch {
		entry, err := entryOf(&k.job, 0)
		if err != nil {
			answerAll(batch, err)
			return
		}
		entry.Key = k.key
		entries[i] = entry
		d.app.unsaved.Store(k.job.ID, &k.job)
	}
	answers, err := d.app.config.Inbox.Enqueue(ctx, d.queue.Name, entries)
	if err != nil {
		for _, k := range batch {
			d.app.unsaved.Delete(k.job.ID)
		}
		answerAll(batch, fmt.Errorf("accept into the inbox: %w", err))
		return
	}
	for i, k := range batch {
		if !answers[i].Accepted {
			d.app.unsaved.Delete(k.job.ID)
			k.answer <- verdict{holder: persistence.BoundKey{Job: answers[i].Holder, Fingerprint: answers[i].Fingerprint}}
			continue
		}
		d.app.journal.write(&outgoing{job: &k.job, history: []job.Transition{k.job.FirstTransition()}, key: k.key, accepted: true})
		k.answer <- verdict{accepted: true}
	}
	if intake, ok := d.app.intakes[d.queue.Name]; ok {
		intake.wake()
	}
}

func answerAll(batch []*knock, err error) {
	for _, k := range batch {
		k.answer <- verdict{err: err}
	}
}

// entryOf is the job as the inbox takes it, with the last token given out for it.
func entryOf(j *job.Job, token int64) (persistence.Entry, error) {
	envelope, err := job.EncodeEnvelope(j)
	if err != nil {
		return persistence.Entry{}, err
	}
	return persistence.Entry{
		ID: j.ID, Life: j.Life, Priority: j.Priority, RunAt: j.RunAt, Token: token, Crashes: j.Crashes, Envelope: envelope,
	}, nil
}

func verifiedEntries(jobs []*job.Job) ([]persistence.Entry, error) {
	entries := make([]persistence.Entry, len(jobs))
	var errs error
	for i, j := range jobs {
		entry, err := verifiedEntry(j)
		errs = errors.Join(errs, err)
		entries[i] = entry
	}
	return entries, errs
}

// refill puts a job of the store's back into the inbox, if the inbox does not know it, under a token that is at least the given one.
func (a *App) refill(ctx context.Context, queue string, j *job.Job, token int64) error {
	entry, err := entryOf(j, max(token, j.Token, 1)) // see verifiedEntry
	if err != nil {
		return err
	}
	_, err = a.config.Inbox.Enqueue(ctx, queue, []persistence.Entry{entry})
	return err
}

// restore gives the inbox back a job that runs here, with its lease.
func (a *App) restore(queue string, entry persistence.Entry) {
	ctx, cancel := context.WithTimeout(a.background, claimTimeout)
	defer cancel()
	a.log.Warn("the inbox has forgotten a job that runs here; it is given it back", "job", entry.ID)
	if _, err := a.config.Inbox.Restore(ctx, queue, a.config.Node, []persistence.Entry{entry}, a.config.Lease); err != nil {
		a.log.Warn("a running job was not given back to the inbox; the next renewal tries again", "job", entry.ID, "error", err)
	}
}
