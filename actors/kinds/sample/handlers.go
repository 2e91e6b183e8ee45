package sample

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// Handlers are the sample kinds by name:
//
//	sample.noop                    ends at once; its result is its payload
//	sample.sleep {ms, steps}       takes its time in steps, and goes on where an earlier attempt stopped
//	sample.stream {chunks, ms}     says its output in chunks, one each ms milliseconds, and goes on where an earlier attempt stopped
//	sample.fail  {times, error}    fails the first attempts, then succeeds
//	sample.panic {message}         panics
//	sample.exit                    kills its node, as a crash would
//	sample.hang  {ms}              does not listen when it is told to stop
//
// A payload with an unknown field or a value out of bounds is a permanent error that names the field.
func Handlers() map[string]actors.Handler {
	return map[string]actors.Handler{
		"sample.noop":   handler(noop),
		"sample.sleep":  handler(sleep),
		"sample.stream": handler(stream),
		"sample.fail":   handler(fail),
		"sample.panic":  handler(toPanic),
		"sample.exit":   handler(exit),
		"sample.hang":   handler(hang),
	}
}

// hold is what the handlers need of a job; *actors.Job is one.
type hold interface {
	Attempt() int
	Record() job.Job
	Progress(p job.Progress)
	Checkpoint(ctx context.Context, value any) error
	Restore(value any) (bool, error)
	Result(value any) error
	Log(level slog.Level, text string)
	Output(data []byte) error
}

func handler(run func(context.Context, hold) error) actors.Handler {
	return func(ctx context.Context, j *actors.Job) error { return run(ctx, j) }
}

// noop gives its payload back.
func noop(_ context.Context, h hold) error {
	payload := h.Record().Payload
	if len(payload) == 0 {
		payload = json.RawMessage("null")
	}
	return h.Result(payload)
}

// fail fails as long as the attempt's number is not above times.
func fail(_ context.Context, h hold) error {
	p := struct {
		Times int    `json:"times"`
		Error string `json:"error"`
	}{Times: 1, Error: "failed as asked"}
	if err := bind(h, &p); err != nil {
		return err
	}
	if err := within("times", p.Times, 0, job.MaxMaxAttempts); err != nil {
		return err
	}
	if h.Attempt() <= p.Times {
		return fmt.Errorf("attempt %d of %d that fail: %s", h.Attempt(), p.Times, p.Error)
	}
	return h.Result(map[string]int{"attempt": h.Attempt()})
}

func toPanic(_ context.Context, h hold) error {
	p := struct {
		Message string `json:"message"`
	}{Message: "panicked as asked"}
	if err := bind(h, &p); err != nil {
		return err
	}
	panic(p.Message)
}
