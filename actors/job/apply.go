package job

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Refusals of Apply. Match them with errors.Is.
var (
	// ErrTerminal: the life has ended; nothing but a redrive changes the job.
	ErrTerminal = errors.New("the job has already ended")
	// ErrNotAllowed: the event does not fit the status.
	ErrNotAllowed = errors.New("not allowed in this status")
	// ErrStale: the event speaks under a token that is not newer than the job's.
	ErrStale = errors.New("stale token")
	// ErrUnchanged: the job already is what the event would make of it.
	ErrUnchanged = errors.New("nothing to change")
	// ErrLimit: the job can't keep more of this.
	ErrLimit = errors.New("over the limit")
)

// Apply returns the job as the event makes it, the line of history to keep (nil for changes too small for one), or a
// refusal that leaves the job as it was. The time is the caller's; it never moves a job's own times backwards.
func (j Job) Apply(e Event, now time.Time) (next Job, line *Transition, err error) {
	now = clock(now)
	if now.Before(j.Updated) {
		now = j.Updated
	}
	next = j
	note, err := next.step(e, now)
	if err != nil {
		return j, nil, fmt.Errorf("job %s: %s while %s: %w", j.ID, Name(e), j.Status, err)
	}
	next.Updated = now
	if next.Token == j.Token {
		next.Rev++
	} else {
		next.Rev = next.Token*RevsPerToken + 1
	}
	if next.Status.Terminal() {
		next.Finished = now
		if next.Token == j.Token {
			next.Rev++ // the number between may have been shown: see View
		}
	}
	if _, ok := e.(Progressed); ok {
		return next, nil, nil
	}
	if !next.Status.Running() || next.Token != j.Token {
		next.Progress.ETA = 0 // it was the estimate of an attempt that runs no more
	}
	line = next.transition(Name(e), clean(note, MaxNote))
	if next.Status == Retrying || next.Status == Failed {
		line.Failure = next.Failure
	}
	return next, line, nil
}

// step makes the job what the event makes of it, and returns why, in words, where there is a why. A refusal may leave it
// half changed.
func (j *Job) step(e Event, now time.Time) (note string, err error) {
	if _, redriven := e.(Redriven); j.Status.Terminal() && !redriven {
		return "", ErrTerminal
	}
	switch e := e.(type) {
	case Redriven:
		return j.redriven(e, now)
	case Claimed:
		return j.claimed(e, now)
	case CancelRequested:
		return j.cancelRequested(e, now)
	case Hastened:
		return j.hastened(e, now)
	case Progressed, Checkpointed, ArtifactStored, Succeeded, AttemptFailed, Snoozed, Released:
		if !j.Status.Running() {
			return "", ErrNotAllowed
		}
		return j.reported(e, now)
	}
	panic(fmt.Sprintf("job: no rule for event %T", e))
}

// reported applies what only the holder of a running job can tell of.
func (j *Job) reported(e Event, now time.Time) (note string, err error) {
	switch e := e.(type) {
	case Progressed:
		return j.progressed(e)
	case Checkpointed:
		return j.checkpointed(e)
	case ArtifactStored:
		return j.artifactStored(e)
	case Succeeded:
		return j.succeeded(e)
	case AttemptFailed:
		return j.attemptFailed(e, now)
	case Snoozed:
		if j.Status == Cancelling {
			j.Status = Cancelled
			return "snoozed after the request", nil
		}
		j.Status, j.RunAt = Scheduled, clock(now.Add(clampDelay(e.Delay)))
		return "snoozed", nil
	case Released:
		if j.Status == Cancelling {
			j.Status = Cancelled
			return e.Reason, nil
		}
		j.Status, j.RunAt = Queued, now
		return e.Reason, nil
	case Claimed, CancelRequested, Hastened, Redriven:
	}
	panic(fmt.Sprintf("job: %T is not for a holder to report", e))
}

func (j *Job) checkpointed(e Checkpointed) (note string, err error) {
	if err := j.room(revsBeyondCheckpoints); err != nil {
		return "", err
	}
	if len(e.Data) > MaxCheckpoint {
		return "", fmt.Errorf("%w: checkpoint of %d bytes, at most %d", ErrLimit, len(e.Data), MaxCheckpoint)
	}
	j.Checkpoint = e.Data
	return "", nil
}

func (j *Job) succeeded(e Succeeded) (note string, err error) {
	if len(e.Result) > MaxResult {
		return "", fmt.Errorf("%w: result of %d bytes, at most %d", ErrLimit, len(e.Result), MaxResult)
	}
	j.Status, j.Result, j.Failure, j.Progress.Percent, j.Progress.ETA = Completed, e.Result, nil, 100, 0
	return "", nil
}

func (j *Job) claimed(e Claimed, now time.Time) (note string, err error) {
	if e.Token <= j.Token {
		return "", ErrStale
	}
	j.Token, j.Node = e.Token, e.Node
	j.Crashes = max(j.Crashes, e.Crashes)
	switch {
	case j.Status == Cancelling:
		j.Status = Cancelled
		return "its holder was lost", nil
	case j.Cancel != nil: // word of it came to the row, and nobody held the job who could hear it
		j.Status = Cancelled
		return j.Cancel.Note(), nil
	case j.Crashes > j.Policy.MaxCrashes:
		j.Status = Failed
		j.Failure = NewFailure(CodeCrashes, fmt.Sprintf("its node died or lost its lease %d times", j.Crashes))
		return "out of crashes", nil
	}
	if j.Status == Processing {
		note = "taken over"
	}
	j.Status, j.Attempt, j.Started = Processing, j.Attempts+1, now
	return note, nil
}

func (j *Job) cancelRequested(e CancelRequested, now time.Time) (note string, err error) {
	if j.Status == Cancelling {
		return "", ErrUnchanged
	}
	if j.Cancel == nil {
		at := now
		if !e.At.IsZero() {
			at = e.At
		}
		j.Cancel = NewCancel(e.By, e.Reason, at)
	}
	if j.Status == Processing {
		j.Status = Cancelling
	} else {
		j.Status = Cancelled
		j.Token, j.Node = j.Token+1, e.Node
	}
	return j.Cancel.Note(), nil
}

func (j *Job) hastened(e Hastened, now time.Time) (note string, err error) {
	switch j.Status {
	case Scheduled, Retrying:
		j.Status, j.RunAt = Queued, now
		j.Token, j.Node = j.Token+1, e.Node
		return ifAny("by ", e.By), nil
	case Queued:
		return "", ErrUnchanged
	}
	return "", ErrNotAllowed
}

func (j *Job) redriven(e Redriven, now time.Time) (note string, err error) {
	if j.Status != Failed && j.Status != Cancelled {
		return "", ErrNotAllowed
	}
	j.Token, j.Node = j.Token+1, e.Node
	j.Life++
	j.Status, j.RunAt = Queued, now
	j.Attempt, j.Attempts, j.Crashes = 0, 0, 0
	j.Progress, j.Result, j.Failure, j.Cancel = Progress{}, nil, nil, nil
	j.Started, j.Finished = time.Time{}, time.Time{}
	return ifAny("by ", e.By), nil
}

func (j *Job) progressed(e Progressed) (note string, err error) {
	if err := j.room(revsBeyondProgress); err != nil {
		return "", err
	}
	p := e.Progress
	if !(p.Percent >= j.Progress.Percent) { // also true of NaN
		p.Percent = j.Progress.Percent
	}
	p.Percent = min(p.Percent, 100)
	p.Note, p.Stage = clean(p.Note, MaxNote), clean(p.Stage, MaxName)
	p.StageIndex, p.StageCount, p.ETA = max(p.StageIndex, 0), max(p.StageCount, 0), max(p.ETA, 0)
	if p == j.Progress {
		return "", ErrUnchanged
	}
	j.Progress = p
	return "", nil
}

// room refuses a change that would leave fewer than the given number of revs to what follows under this token.
func (j *Job) room(reserved int64) error {
	if j.Rev-j.Token*RevsPerToken >= RevsPerToken-reserved {
		return fmt.Errorf("%w: %d changes under one claim", ErrLimit, RevsPerToken)
	}
	return nil
}

func (j *Job) artifactStored(e ArtifactStored) (note string, err error) {
	if err := j.room(revsBeyondCheckpoints); err != nil {
		return "", err
	}
	kept := slices.DeleteFunc(slices.Clone(j.Artifacts), func(a Artifact) bool { return a.Name == e.Artifact.Name })
	if len(kept) >= MaxArtifacts {
		return "", fmt.Errorf("%w: %d artifacts", ErrLimit, MaxArtifacts)
	}
	j.Artifacts = append(kept, e.Artifact)
	return e.Artifact.Name, nil
}

func (j *Job) attemptFailed(e AttemptFailed, now time.Time) (note string, err error) {
	if j.Status == Cancelling { // it obeyed: that is no failure of the job's
		j.Status = Cancelled
		return "", nil
	}
	j.Attempts++
	j.Failure = e.Failure
	if j.Failure == nil {
		j.Failure = NewFailure(CodeError, "the attempt failed without a reason")
	}
	switch {
	case e.Permanent:
		j.Status = Failed
		return "permanent", nil
	case j.Attempts >= j.Policy.MaxAttempts:
		j.Status = Failed
		return "out of attempts", nil
	}
	wait := max(j.Policy.Backoff.Delay(j.Attempts, e.Jitter), clampDelay(e.RetryAfter))
	j.Status, j.RunAt = Retrying, clock(now.Add(wait))
	return "", nil
}

// clock is a time as every store can keep it: in UTC, to the microsecond.
func clock(t time.Time) time.Time {
	t = t.UTC()
	if rest := t.Nanosecond() % 1000; rest != 0 {
		return t.Add(-time.Duration(rest))
	}
	return t
}

func clampDelay(d time.Duration) time.Duration { return min(max(d, 0), MaxDelay) }

func ifAny(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}
