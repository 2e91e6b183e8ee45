package actors

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// commandTries bounds how often a command looks again at a job that changes under its hands.
const commandTries = 8

// Cancel stops a job: one that waits at once, one that runs by asking its handler, wherever it runs. The answer is the job as
// it is then. A repeated request changes nothing. job.ErrTerminal if it had ended otherwise before.
func (a *App) Cancel(ctx context.Context, id job.ID, by, reason string) (job.Job, error) {
	for range commandTries {
		record, err := a.find(ctx, id)
		if err != nil {
			return job.Job{}, err
		}
		j := record.Job
		switch j.Status {
		case job.Cancelled, job.Cancelling:
			return j, nil
		case job.Processing:
			return a.cancelRunning(ctx, j, askedBy(by, reason))
		}
		cancelled, done, err := a.command(ctx, j, job.CancelRequested{By: by, Node: a.config.Node, Reason: reason})
		if err != nil {
			return j, err
		}
		if done {
			a.metrics.finished(&cancelled)
			if err := a.config.Inbox.Remove(ctx, j.Queue, []job.ID{id}); err != nil {
				a.log.Warn("a cancelled job is still in the inbox; whoever claims it lets go of it", "job", id, "error", err)
			}
			return cancelled, nil
		}
	}
	return job.Job{}, fmt.Errorf("cancel job %s: %w: it changes too fast", id, ErrBusy)
}

// askedBy says who asks for something, and why.
func askedBy(by, reason string) string {
	if reason == "" {
		return by
	}
	return strings.TrimPrefix(by+": "+reason, ": ")
}

// cancelRunning leaves word in the row and in the inbox, which outlive everything, and tells whoever may be listening.
func (a *App) cancelRunning(ctx context.Context, j job.Job, by string) (job.Job, error) {
	record, err := a.config.Store.RequestCancel(ctx, j.ID, by)
	if err != nil {
		return j, err
	}
	if err := a.config.Inbox.RequestCancel(ctx, j.Queue, j.ID); err != nil {
		a.log.Warn("a request to cancel stands in the row only", "job", j.ID, "error", err)
	}
	a.supervisor.cancel(j.ID, by)
	if err := a.config.Bus.Signal(ctx, persistence.Signal{Topic: persistence.SignalCancel, ID: j.ID, Queue: j.Queue, By: by}); err != nil {
		a.log.Warn("a request to cancel waits for the holder's next renewal", "job", j.ID, "error", err)
	}
	return a.awaitChange(ctx, record.Job)
}

// awaitChange reads the job until it is newer than it was, for a moment at most.
func (a *App) awaitChange(ctx context.Context, was job.Job) (job.Job, error) {
	for range 10 {
		record, err := a.record(ctx, was.ID)
		if err != nil || record.Job.Status != was.Status {
			return record.Job, err
		}
		select {
		case <-ctx.Done():
			return was, nil
		case <-time.After(20 * time.Millisecond):
		}
	}
	return was, nil
}

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

// MaxBulk bounds how many dead letters one call redrives or deletes; call again for the rest.
const MaxBulk = 10_000

// RedriveDead gives the dead letters that match a new life, at most MaxBulk of them. A dry run only counts them and names some.
func (a *App) RedriveDead(ctx context.Context, q persistence.Query, by string, dryRun bool) (Redrive, error) {
	answer := Redrive{DryRun: dryRun}
	err := a.eachDead(ctx, q, func(jobs []job.Job) error {
		answer.Matched += len(jobs)
		for i := range jobs {
			if len(answer.IDs) < 100 {
				answer.IDs = append(answer.IDs, jobs[i].ID)
			}
			if dryRun {
				continue
			}
			if _, err := a.Retry(ctx, jobs[i].ID, by); err != nil && !errors.Is(err, job.ErrNotAllowed) {
				return err
			} else if err == nil {
				answer.Redriven++
			}
		}
		return nil
	})
	return answer, err
}

// PurgeDead deletes the dead letters that match, at most MaxBulk of them, and says how many. A dry run only counts them.
func (a *App) PurgeDead(ctx context.Context, q persistence.Query, dryRun bool) (int, error) {
	matched := 0
	err := a.eachDead(ctx, q, func(jobs []job.Job) error {
		matched += len(jobs)
		if dryRun {
			return nil
		}
		return a.remove(ctx, jobs)
	})
	return matched, err
}

func (a *App) eachDead(ctx context.Context, q persistence.Query, do func([]job.Job) error) error {
	q.Statuses, q.Limit = []job.Status{job.Failed}, persistence.MaxPage
	for seen := 0; seen < MaxBulk; {
		page, err := a.config.Store.List(ctx, q)
		if err != nil {
			return err
		}
		if len(page.Jobs) > 0 {
			if err := do(page.Jobs); err != nil {
				return err
			}
		}
		if page.Next.IsZero() {
			return nil
		}
		seen += len(page.Jobs)
		q.Before = page.Next
	}
	return nil
}
