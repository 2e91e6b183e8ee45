package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Handler runs one attempt of a job. It may be run more than once for one job: after a crash or a failure another attempt follows. Job, token and
// checkpoint help it not to do twice what must be done once. When the context ends it should return soon; context.Cause
// says why: ErrCancelled, ErrTimeout, ErrLeaseLost or ErrDraining.
//
// A nil error completes the job. Other errors fail the attempt, and the job's policy decides what follows; job.Permanent,
// job.RetryAfter and job.Snooze say otherwise. A panic fails the attempt and harms nobody else.
type Handler func(ctx context.Context, j *Job) error

// Causes of the end of a handler's context.
var (
	ErrCancelled = errors.New("the job was cancelled")
	ErrTimeout   = errors.New("the attempt ran out of time")
	ErrLeaseLost = errors.New("the job is no longer this node's")
	ErrDraining  = errors.New("the node is draining")
)

// Job is a handler's hold on the job it runs. Its methods may be called from several goroutines.
type Job struct {
	record *job.Job // as claimed; never changed
	report reporter
	log    *slog.Logger
}

// reporter is what an attempt tells its job actor.
type reporter interface {
	progress(job.Progress)
	checkpoint(ctx context.Context, data json.RawMessage) error
	artifact(ctx context.Context, name, mediaType string, content io.Reader, max int64) (job.Artifact, error)
	result(data json.RawMessage)
	watched() bool
}

// ID names the job for ever.
func (j *Job) ID() job.ID { return j.record.ID }

// Kind is the kind that selected the handler.
func (j *Job) Kind() string { return j.record.Kind }

// Attempt is the attempt's number; the first is 1. A crash or a deploy repeats the number.
func (j *Job) Attempt() int { return j.record.Attempt }

// Life is 1, and one more for each redrive.
func (j *Job) Life() int { return j.record.Life }

// Token is the fencing token: it grows with each claim of the job. Hand it to whatever can refuse a smaller one.
func (j *Job) Token() int64 { return j.record.Token }

// Owner is the principal the job belongs to; empty if none.
func (j *Job) Owner() string { return j.record.Owner }

// Record is the whole job as it was when the attempt began.
func (j *Job) Record() job.Job { return *j.record }

// Bind decodes the payload. A payload that does not fit is a permanent error: no further attempt would read it better.
func (j *Job) Bind(payload any) error {
	if err := json.Unmarshal(j.record.Payload, payload); err != nil {
		return job.Permanent(fmt.Errorf("payload: %w", err))
	}
	return nil
}

// Log writes for engineers, with the job's id, kind and attempt on every line.
func (j *Job) Log() *slog.Logger {
	return j.log.With("job", j.record.ID, "kind", j.record.Kind, "attempt", j.record.Attempt)
}

// Progress says how far the attempt is. It is cheap and never blocks: what comes faster than it can be shown replaces what was not shown yet.
func (j *Job) Progress(p job.Progress) { j.report.progress(p) }

// Watched says whether a stream shows this job, on this node or, as of a few seconds ago, on another: whether it is worth while to
// do more for being looked at. Somebody may read the job without a stream, and is not counted. It is cheap.
func (j *Job) Watched() bool { return j.report.watched() }

// Checkpoint leaves a value (encoded as JSON, at most job.MaxCheckpoint bytes) for the attempt that may have to go on after this one. When it returns nil, the
// value is durable.
func (j *Job) Checkpoint(ctx context.Context, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode checkpoint: %w", err)
	}
	return j.report.checkpoint(ctx, data)
}

// Restore reads the last checkpoint into value, and says whether there is one.
func (j *Job) Restore(value any) (bool, error) {
	if len(j.record.Checkpoint) == 0 {
		return false, nil
	}
	if err := json.Unmarshal(j.record.Checkpoint, value); err != nil {
		return false, job.Permanent(fmt.Errorf("checkpoint: %w", err))
	}
	return true, nil
}

// Artifact stores a file of at most max bytes under a name that is unique within the job (job.ValidName). When it returns nil the
// file is durable and the job's record names it.
func (j *Job) Artifact(ctx context.Context, name, mediaType string, content io.Reader, max int64) (job.Artifact, error) {
	return j.report.artifact(ctx, name, mediaType, content, max)
}

// Result sets what the job returns (encoded as JSON, at most job.MaxResult bytes) if the attempt succeeds.
func (j *Job) Result(value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	if len(data) > job.MaxResult {
		return fmt.Errorf("result of %d bytes: %w: at most %d", len(data), job.ErrLimit, job.MaxResult)
	}
	j.report.result(data)
	return nil
}

// Typed makes a handler of a function that takes its payload decoded.
func Typed[P any](run func(ctx context.Context, j *Job, payload P) error) Handler {
	return func(ctx context.Context, j *Job) error {
		var payload P
		if err := j.Bind(&payload); err != nil {
			return err
		}
		return run(ctx, j, payload)
	}
}
