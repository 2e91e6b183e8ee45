package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// commandTries bounds how often a command looks again at a job that changes under its hands.
const commandTries = 8

// Retry brings a job forward: one that waits for its due time runs now, and one that failed or was cancelled gets a new life. One
// that is queued is left as it is. job.ErrNotAllowed if it runs or has completed.
func (a *App) Retry(ctx context.Context, id job.ID, by string) (job.Job, error) {
	for range commandTries {
		record, err := a.find(ctx, id)
		if err != nil {
			return job.Job{}, err
		}
		j := record.Job
		var event job.Event = job.Hastened{By: by, Node: a.config.Node}
		if j.Status.Terminal() {
			event = job.Redriven{By: by, Node: a.config.Node}
		}
		next, done, err := a.command(ctx, j, event)
		switch {
		case errors.Is(err, job.ErrUnchanged):
			return j, nil
		case errors.Is(err, job.ErrTerminal): // completed
			return j, fmt.Errorf("%w: %w", job.ErrNotAllowed, err)
		case err != nil:
			return j, err
		case done && j.Status.Terminal():
			a.metrics.redriven.WithLabelValues(j.Queue).Inc()
			return next, a.requeue(ctx, &next)
		case done:
			return next, a.config.Inbox.Hasten(ctx, j.Queue, map[job.ID]int64{id: next.Token})
		}
	}
	return job.Job{}, fmt.Errorf("retry job %s: %w: it changes too fast", id, ErrBusy)
}

// requeue puts a redriven job into the inbox. The store has it: if the inbox can't be reached, the reconciler follows up.
func (a *App) requeue(ctx context.Context, j *job.Job) error {
	if err := a.config.Inbox.Remove(ctx, j.Queue, []job.ID{j.ID}); err != nil {
		a.log.Warn("a redriven job is still listed as dead", "job", j.ID, "error", err)
	}
	if err := a.refill(ctx, j.Queue, j, j.Token); err != nil {
		a.log.Warn("a redriven job waits for the inbox", "job", j.ID, "error", err)
		a.timekeeper.refill()
	}
	return nil
}

// find is record, but waits a moment for the row of a job that was accepted just now: commands need the row.
func (a *App) find(ctx context.Context, id job.ID) (persistence.Record, error) {
	if _, err := a.Get(ctx, id); err != nil {
		return persistence.Record{}, err
	}
	records, err := a.config.Store.Get(ctx, []job.ID{id})
	if err != nil {
		return persistence.Record{}, err
	}
	if len(records) == 0 {
		j, ok := a.unsaved.Load(id)
		if !ok {
			return a.record(ctx, id)
		}
		return persistence.Record{Job: *j.(*job.Job)}, nil
	}
	return records[0], nil
}

// command applies an event to a job that no node holds, by a write of its own. It answers false if somebody else was faster: look
// again.
func (a *App) command(ctx context.Context, j job.Job, e job.Event) (job.Job, bool, error) {
	next, t, err := j.Apply(e, time.Now())
	if err != nil {
		return j, false, err
	}
	outcomes, err := a.config.Store.Commit(ctx, []persistence.Write{{Job: next, History: []job.Transition{*t}}})
	if err != nil {
		return j, false, err
	}
	if !outcomes[0].Applied {
		return j, false, nil
	}
	a.show(&next)
	return next, true, nil
}

// Delete removes a job that has ended, with its history and artifacts. job.ErrNotAllowed if it has not ended; ErrNotFound if it
// does not exist.
func (a *App) Delete(ctx context.Context, id job.ID) error {
	record, err := a.find(ctx, id)
	if err != nil {
		return err
	}
	if !record.Job.Status.Terminal() {
		return fmt.Errorf("delete job %s: %w: it is %s; cancel it first", id, job.ErrNotAllowed, record.Job.Status)
	}
	return a.remove(ctx, []job.Job{record.Job})
}

func (a *App) remove(ctx context.Context, jobs []job.Job) error {
	ids := make([]job.ID, len(jobs))
	queues := map[string][]job.ID{}
	for i := range jobs {
		ids[i] = jobs[i].ID
		queues[jobs[i].Queue] = append(queues[jobs[i].Queue], jobs[i].ID)
	}
	removed, err := a.config.Store.Delete(ctx, ids)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	for queue, ids := range queues {
		if err := a.config.Inbox.Remove(ctx, queue, ids); err != nil {
			a.log.Warn("deleted jobs are still listed as dead", "queue", queue, "error", err)
		}
	}
	if err := a.config.Artifacts.Delete(ctx, removed); err != nil {
		a.log.Warn("artifacts of deleted jobs are left", "error", err)
	}
	a.broadcaster.purged(removed)
	return nil
}
