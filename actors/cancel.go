package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// TooLateError: the job had ended before the request to cancel it could stop it. It is a job.ErrTerminal.
type TooLateError struct{ Job job.Job }

// Error says how it ended.
func (e *TooLateError) Error() string {
	return fmt.Sprintf("cancel job %s: it is too late: it is %s", e.Job.ID, e.Job.Status)
}

// Unwrap is what programs match.
func (e *TooLateError) Unwrap() error { return job.ErrTerminal }

// Cancel stops a job: one that waits at once, one that runs by asking its handler, wherever it runs. By and reason are shown with the job;
// ErrInvalid if they are longer than job.MaxCancelBy and job.MaxCancelReason. Of several requests the first stands.
//
// When it answers, the request is durable: its word is on the row, so that whoever runs the job, or adopts it from a node that died, stops it.
// The answer is the job as it is then; its CancelState says what has become of the request so far. TooLateError if it ended otherwise.
func (a *App) Cancel(ctx context.Context, id job.ID, by, reason string) (job.Job, error) {
	word := job.Cancel{By: by, Reason: reason, At: time.Now()}
	if err := word.Validate(); err != nil {
		return job.Job{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	for range commandTries {
		j, err := a.leaveWord(ctx, id, word)
		if err != nil {
			return job.Job{}, err
		}
		if j.Cancel == nil && !j.Status.Terminal() && j.Status != job.Cancelling {
			continue // its row came between the leaving of the word and the reading of it
		}
		if j.Status == job.Processing {
			if j, err = a.cancelRunning(ctx, j); err != nil {
				return job.Job{}, err
			}
		}
		switch {
		case j.Status.Terminal():
			return cancelled(j)
		case j.Status.Running():
			return j, nil
		}
		a.flag(ctx, &j) // should this node die before the commit
		now, done, err := a.command(ctx, j, job.CancelRequested{Node: a.config.Node})
		if err != nil {
			return j, err
		}
		if done {
			a.metrics.finished(&now)
			if err := a.config.Inbox.Remove(ctx, j.Queue, []job.ID{id}); err != nil {
				a.log.Warn("a cancelled job is still in the inbox; whoever claims it lets go of it", "job", id, "error", err)
			}
			return now, nil
		}
	}
	return job.Job{}, fmt.Errorf("cancel job %s: %w: it changes too fast", id, ErrBusy)
}

// cancelled is the answer to a request whose job has ended.
func cancelled(j job.Job) (job.Job, error) {
	if j.Status == job.Cancelled {
		return j, nil
	}
	return j, &TooLateError{j}
}

// leaveWord leaves word of the request on the row, where it outlives everything, unless the job has ended or has word
// already. It answers the job as it is then.
func (a *App) leaveWord(ctx context.Context, id job.ID, word job.Cancel) (job.Job, error) {
	record, err := a.find(ctx, id)
	j := record.Job
	if err != nil || j.Status.Terminal() || j.Status == job.Cancelling || j.Cancel != nil {
		return j, err
	}
	record, err = a.config.Store.RequestCancel(ctx, id, word)
	if errors.Is(err, persistence.ErrNotFound) { // accepted a moment ago
		first := persistence.Write{Job: j, History: []job.Transition{j.FirstTransition()}}
		if _, err = a.config.Store.Commit(ctx, []persistence.Write{first}); err == nil {
			record, err = a.config.Store.RequestCancel(ctx, id, word)
		}
	}
	if err != nil {
		return j, err
	}
	j = record.Job
	a.log.Info("asked to cancel a job", "job", id, "by", word.By, "reason", word.Reason, "status", j.Status, "holder", j.Node)
	return j, nil
}

// cancelRunning tells the node that runs the job of the request. Where that can't be done at once the word that was left does it: the
// holder hears of it over the bus, or with its next renewal, and whoever adopts the job from it finds it.
func (a *App) cancelRunning(ctx context.Context, j job.Job) (job.Job, error) {
	flagged := make(chan struct{})
	go func() {
		defer close(flagged)
		a.flag(ctx, &j)
	}()
	defer func() { <-flagged }()
	now := a.tellHolder(ctx, &j)
	if now != nil && now.Status.Running() {
		return *now, nil
	}
	if now == nil { // whoever watches is shown that somebody asked, before its holder says so
		if record, err := a.record(ctx, j.ID); err == nil && record.Job.Status == job.Processing {
			a.show(&record.Job)
		}
	}
	return a.awaitChange(ctx, j)
}

// flag leaves word in the inbox: whoever claims the job looks at its row, and so does who renews its lease.
func (a *App) flag(ctx context.Context, j *job.Job) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if err := a.config.Inbox.RequestCancel(ctx, j.Queue, j.ID); err != nil {
		a.log.Warn("a request to cancel stands in the row only", "job", j.ID, "error", err)
	}
}

// tellHolder tells the actor of a running job of the request on its row, wherever it lives, and answers the job as that actor has it then; nil
// if it did not answer.
func (a *App) tellHolder(ctx context.Context, j *job.Job) *job.Job {
	if j.Node == a.config.Node {
		if now := a.supervisor.askCancel(ctx, j.ID, *j.Cancel); now != nil {
			return now
		}
	} else if a.peers != nil {
		answer, err := a.askNode(ctx, j.Node, remoteRequest{Op: opCancel, Job: j.ID, Cancel: j.Cancel})
		if err != nil {
			a.log.Warn("the holder of a job could not be asked to cancel it; word of it is left", "job", j.ID, "holder", j.Node, "error", err)
		} else if answer.Job != nil {
			now := fromView(*answer.Job)
			return &now
		}
	}
	a.signalCancel(ctx, j)
	return nil
}

// awaitChange reads the job until it is another status's, for a moment at most.
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

// AwaitEnd waits until a job has ended, or the context, and answers it as it is then.
func (a *App) AwaitEnd(ctx context.Context, id job.ID) (job.Job, error) {
	w, err := a.Watch(ctx, WatchRequest{Topics: []Topic{{TopicJob, id.String()}}})
	if err != nil {
		return a.lookAgain(ctx, id)
	}
	defer w.Close()
	for {
		step, cancel := context.WithTimeout(ctx, lookEvery)
		b, err := w.Next(step)
		slow := step.Err() != nil
		cancel()
		switch {
		case b.End != "", ctx.Err() != nil, err != nil && !slow:
			return a.lookAgain(ctx, id)
		case slow: // the bus may be down
			if j, err := a.lookAgain(ctx, id); err == nil && j.Status.Terminal() {
				return j, nil
			}
		}
	}
}

// lookEvery is how often the store is asked for what no message may have told.
const lookEvery = 500 * time.Millisecond

// lookAgain reads a job, for a moment also when the context has ended.
func (a *App) lookAgain(ctx context.Context, id job.ID) (job.Job, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	return a.Get(ctx, id)
}
