package sample

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

const exits = "SAMPLE_TEST_EXITS"

func TestMain(m *testing.M) {
	if os.Getenv(exits) != "" {
		fmt.Println("survived:", exit(context.Background(), newRecorder(1, `{}`)))
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var _ hold = (*actors.Job)(nil)

// recorder is a job in a handler's hand; it keeps what it is told.
type recorder struct {
	record      job.Job
	progress    []job.Progress
	checkpoints []string
	log         []string
	output      []string
	result      string
}

func newRecorder(attempt int, payload string) *recorder {
	return &recorder{record: job.Job{Attempt: attempt, Payload: json.RawMessage(payload)}}
}

func (r *recorder) Attempt() int            { return r.record.Attempt }
func (r *recorder) Record() job.Job         { return r.record }
func (r *recorder) Progress(p job.Progress) { r.progress = append(r.progress, p) }

func (r *recorder) Log(level slog.Level, text string) { r.log = append(r.log, level.String()+" "+text) }

func (r *recorder) Output(data []byte) error {
	r.output = append(r.output, string(data))
	return nil
}

func (r *recorder) Checkpoint(_ context.Context, value any) (err error) {
	r.record.Checkpoint, err = json.Marshal(value)
	r.checkpoints = append(r.checkpoints, string(r.record.Checkpoint))
	return err
}

func (r *recorder) Restore(value any) (bool, error) {
	if len(r.record.Checkpoint) == 0 {
		return false, nil
	}
	return true, json.Unmarshal(r.record.Checkpoint, value)
}

func (r *recorder) Result(value any) error {
	data, err := json.Marshal(value)
	r.result = string(data)
	return err
}

func TestHandlersHaveValidNames(t *testing.T) {
	for name, h := range Handlers() {
		if !job.ValidName(name) || h == nil {
			t.Error(name)
		}
	}
	if len(Handlers()) != 7 {
		t.Error(len(Handlers()))
	}
}

func TestNoop(t *testing.T) {
	for payload, want := range map[string]string{"": "null", `{"a":1}`: `{"a":1}`} {
		if r := newRecorder(1, payload); noop(t.Context(), r) != nil || r.result != want {
			t.Errorf("%q: %s", payload, r.result)
		}
	}
}

func TestPayloadsOutOfBoundsArePermanent(t *testing.T) {
	for _, c := range []struct {
		run     func(context.Context, hold) error
		payload string
		field   string
	}{
		{sleep, `{"ms":-1}`, "ms"},
		{sleep, `{"ms":86400001}`, "ms"},
		{stream, `{"chunks":0}`, "chunks"},
		{stream, `{"ms":60001}`, "ms"},
		{sleep, `{"steps":0}`, "steps"},
		{sleep, `{"steps":10001}`, "steps"},
		{sleep, `{"ms":"1"}`, "ms"},
		{sleep, `{"seconds":1}`, "seconds"},
		{sleep, `[]`, "array"},
		{fail, `{"times":-1}`, "times"},
		{fail, `{"times":101}`, "times"},
		{hang, `{"ms":-1}`, "ms"},
		{toPanic, `{"message":1}`, "message"},
		{exit, `{"code":1}`, "code"},
	} {
		err := c.run(t.Context(), newRecorder(1, c.payload))
		e, ok := job.Outcome(nil, err, 0).(job.AttemptFailed)
		if !ok || !e.Permanent || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: %v", c.payload, err)
		}
	}
}

func TestFailCountsAttempts(t *testing.T) {
	for attempt, fails := range map[int]bool{1: true, 2: true, 3: false, 4: false} {
		r := newRecorder(attempt, `{"times":2,"error":"no luck"}`)
		err := fail(t.Context(), r)
		if (err != nil) != fails || (fails && !strings.Contains(err.Error(), "no luck")) || (!fails && r.result == "") {
			t.Errorf("attempt %d: %v, %s", attempt, err, r.result)
		}
	}
	if fail(t.Context(), newRecorder(1, "")) == nil || fail(t.Context(), newRecorder(2, "")) != nil {
		t.Error("without a payload the first attempt alone fails")
	}
}

func TestSleepGoesOnWhereItStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("drained")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(2500*time.Millisecond, func() { cancel(gone) })
		r := newRecorder(1, `{"ms":4000,"steps":4}`)
		began := time.Now()
		if err := sleep(ctx, r); !errors.Is(err, gone) || time.Since(began) != 2500*time.Millisecond {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		began = time.Now()
		if err := sleep(t.Context(), r); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if !slices.Equal(r.checkpoints, []string{`{"steps":1}`, `{"steps":2}`, `{"steps":3}`, `{"steps":4}`}) || r.result != `{"resumed_at":2,"steps":4}` {
			t.Errorf("%v, %s", r.checkpoints, r.result)
		}
		var percents []float64
		for _, p := range r.progress {
			percents = append(percents, p.Percent)
		}
		if !slices.Equal(percents, []float64{0, 25, 50, 50, 75, 100}) || r.progress[1].ETA != job.Duration(3*time.Second) {
			t.Errorf("%v", percents)
		}
	})
}

func TestHangDoesNotListen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for payload, want := range map[string]time.Duration{`{"ms":50}`: 50 * time.Millisecond, "": time.Hour} {
			began := time.Now()
			if err := hang(ctx, newRecorder(1, payload)); err != nil || time.Since(began) != want {
				t.Errorf("%v after %s", err, time.Since(began))
			}
		}
	})
}

func TestPanic(t *testing.T) {
	defer func() {
		if r := recover(); r != "boom" {
			t.Errorf("recovered %v", r)
		}
	}()
	_ = toPanic(t.Context(), newRecorder(1, `{"message":"boom"}`))
}

func TestExitKillsItsProcess(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), exits+"=1")
	out, err := cmd.CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	if !ok || !strings.Contains(failed.String(), "killed") || len(out) != 0 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestStreamSaysEachChunkAndGoesOn(t *testing.T) {
	r := newRecorder(1, `{"chunks":5,"ms":0}`)
	r.record.Checkpoint = json.RawMessage(`{"chunks":2}`)
	if err := stream(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if want := []string{"chunk 3\n", "chunk 4\n", "chunk 5\n"}; !slices.Equal(r.output, want) || r.result != `{"chunks":5}` || len(r.log) != 2 {
		t.Errorf("output %q, log %q, result %s", r.output, r.log, r.result)
	}
}
