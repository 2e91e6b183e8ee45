package actors_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestJobCompletesWithItsResultAndLeavesNothingBehind(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{
		"greet": actors.Typed(func(_ context.Context, j *actors.Job, name string) error { return j.Result("hello " + name) }),
	})
	id := n.submit("greet", "world")
	j := n.await(id, job.Completed)
	if string(j.Result) != `"hello world"` || j.Attempt != 1 || j.Attempts != 0 || j.Crashes != 0 || j.Progress.Percent != 100 {
		t.Errorf("completed as %+v", j)
	}
	if diff := cmp.Diff([]string{"Submitted", "Claimed", "Succeeded"}, n.events(id)); diff != "" {
		t.Error(diff)
	}
	n.emptied("default")
}

func TestFailingJobIsRetriedWithGrowingWaitsThenDeadThenRedriven(t *testing.T) {
	var mended atomic.Bool
	n := embedded(t).start(t, map[string]actors.Handler{
		"flaky": func(context.Context, *actors.Job) error {
			if mended.Load() {
				return nil
			}
			return errors.New("the provider is down")
		},
	})
	id := n.submit("flaky", nil)
	dead := n.await(id, job.Failed)
	if dead.Attempts != 3 || dead.Attempt != 3 || dead.Failure.Message != "the provider is down" || dead.Finished.IsZero() {
		t.Errorf("dead as %+v", dead)
	}
	history, err := n.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var statuses []job.Status
	var waits []time.Duration
	for _, h := range history {
		statuses = append(statuses, h.Status)
		if h.Status == job.Retrying {
			waits = append(waits, h.RunAt.Sub(h.At))
		}
	}
	want := []job.Status{job.Queued, job.Processing, job.Retrying, job.Processing, job.Retrying, job.Processing, job.Failed}
	if diff := cmp.Diff(want, statuses); diff != "" {
		t.Error(diff)
	}
	if len(waits) != 2 || waits[1] < waits[0] {
		t.Errorf("waits %v, want two that grow", waits)
	}
	n.eventually("the inbox lists the dead letter", func() bool {
		d, err := n.world.inbox.Depth(t.Context(), "default")
		return err == nil && d.Dead == 1 && d.Waiting+d.Leased+d.Delayed == 0
	})
	mended.Store(true)
	answer, err := n.RedriveDead(t.Context(), persistence.Query{Kind: "flaky"}, "op", false)
	if err != nil || answer.Done != 1 {
		t.Fatalf("redrive: %+v, %v", answer, err)
	}
	again := n.await(id, job.Completed)
	if again.Life != 2 || again.Attempts != 0 || again.Failure != nil || again.Rev <= dead.Rev || again.Token <= dead.Token {
		t.Errorf("second life %+v", again)
	}
	if events := n.events(id); !slices.Contains(events, "Redriven") || events[0] != "Submitted" {
		t.Errorf("history %v does not link the lives", events)
	}
	d, err := n.world.inbox.Depth(t.Context(), "default")
	if err != nil || d.Dead != 0 {
		t.Errorf("dead letters %+v, %v", d, err)
	}
}

func TestPermanentErrorIsNotRetried(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{
		"refused": func(context.Context, *actors.Job) error { return job.Permanent(errors.New("the prompt is refused")) },
	})
	j := n.await(n.submit("refused", nil), job.Failed)
	if j.Attempts != 1 || j.Failure.Code != job.CodePermanent {
		t.Errorf("failed as %+v", j)
	}
}

func TestPanicFailsItsAttemptAndHarmsNobodyElse(t *testing.T) {
	release := make(chan struct{})
	n := embedded(t).start(t, map[string]actors.Handler{
		"bomb": func(context.Context, *actors.Job) error { panic("boom") },
		"calm": func(context.Context, *actors.Job) error { <-release; return nil },
	})
	calm := n.submit("calm", nil)
	n.await(calm, job.Processing)
	j := n.await(n.submit("bomb", nil), job.Failed)
	if j.Attempts != 3 || j.Failure.Code != job.CodePanic || j.Failure.Stack == "" || j.Crashes != 0 {
		t.Errorf("failed as %+v", j)
	}
	close(release)
	if j := n.await(calm, job.Completed); j.Attempt != 1 {
		t.Errorf("the neighbour needed attempt %d", j.Attempt)
	}
}

func TestSnoozeAndRetryAfterWaitAndOnlyTheLatterSpendsAnAttempt(t *testing.T) {
	var snoozed, throttled atomic.Bool
	n := embedded(t).start(t, map[string]actors.Handler{
		"snooze": func(context.Context, *actors.Job) error {
			if snoozed.CompareAndSwap(false, true) {
				return job.Snooze(150 * time.Millisecond)
			}
			return nil
		},
		"throttle": func(context.Context, *actors.Job) error {
			if throttled.CompareAndSwap(false, true) {
				return job.RetryAfter(300*time.Millisecond, errors.New("429"))
			}
			return nil
		},
	})
	if j := n.await(n.submit("snooze", nil), job.Completed); j.Attempts != 0 || j.Attempt != 1 {
		t.Errorf("snoozed: %+v", j)
	}
	j := n.await(n.submit("throttle", nil), job.Completed)
	if j.Attempts != 1 || j.Attempt != 2 || j.Finished.Sub(j.Created) < 300*time.Millisecond {
		t.Errorf("throttled: %+v", j)
	}
}

func TestTimeoutEndsTheAttempt(t *testing.T) {
	cause := make(chan error, 10)
	n := embedded(t).start(t, map[string]actors.Handler{
		"slow": func(ctx context.Context, _ *actors.Job) error {
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return ctx.Err()
		},
	})
	id := n.submit("slow", nil, func(s *actors.Submission) {
		s.Policy.Timeout, s.Policy.MaxAttempts = job.Duration(100*time.Millisecond), 1
	})
	if j := n.await(id, job.Failed); j.Failure.Code != job.CodeTimeout || j.Attempts != 1 {
		t.Errorf("failed as %+v", j)
	}
	if err := <-cause; !errors.Is(err, actors.ErrTimeout) {
		t.Errorf("the handler was told %v", err)
	}
}

func TestScheduledJobRunsWhenItIsDue(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"noop": func(context.Context, *actors.Job) error { return nil }})
	id := n.submit("noop", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(400 * time.Millisecond) })
	n.await(id, job.Scheduled)
	if j := n.await(id, job.Completed); j.Started.Before(j.RunAt) {
		t.Errorf("started %s before it was due %s", j.Started, j.RunAt)
	}
}

func TestHastenedJobRunsNow(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"noop": func(context.Context, *actors.Job) error { return nil }})
	id := n.submit("noop", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(time.Hour) })
	n.await(id, job.Scheduled)
	if _, err := n.Retry(t.Context(), id, "op"); err != nil {
		t.Fatal(err)
	}
	n.await(id, job.Completed)
}

func TestUrgentJobsGoFirst(t *testing.T) {
	var order []int
	gate := make(chan struct{})
	n := embedded(t).start(t, map[string]actors.Handler{
		"gate": func(context.Context, *actors.Job) error { <-gate; return nil },
		"note": func(_ context.Context, j *actors.Job) error { order = append(order, j.Record().Priority); return nil },
	}, func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "default", Concurrency: 1}} })
	n.await(n.submit("gate", nil), job.Processing)
	var ids []job.ID
	for _, p := range []int{3, 1, 0, 2} {
		ids = append(ids, n.submit("note", nil, func(s *actors.Submission) { s.Priority = &p }))
	}
	close(gate)
	for _, id := range ids {
		n.await(id, job.Completed)
	}
	if !slices.Equal(order, []int{0, 1, 2, 3}) {
		t.Errorf("ran in order %v", order)
	}
}

func TestCheckpointOutlivesAnAttempt(t *testing.T) {
	var failed atomic.Bool
	n := embedded(t).start(t, map[string]actors.Handler{
		"steps": func(ctx context.Context, j *actors.Job) error {
			step := 0
			if _, err := j.Restore(&step); err != nil {
				return err
			}
			for ; step < 5; step++ {
				if step == 3 && failed.CompareAndSwap(false, true) {
					return errors.New("stumbled")
				}
				if err := j.Checkpoint(ctx, step+1); err != nil {
					return err
				}
			}
			return j.Result(step)
		},
	})
	id := n.submit("steps", nil)
	if j := n.await(id, job.Completed); string(j.Result) != "5" {
		t.Errorf("result %s", j.Result)
	}
	saved := 0
	for _, e := range n.events(id) {
		if e == "Checkpointed" {
			saved++
		}
	}
	if saved != 5 {
		t.Errorf("%d steps were done, want each once", saved)
	}
}

func TestSlotsAreGivenBackInTheMetricsToo(t *testing.T) {
	n := embedded(t).start(t, noop)
	for range 20 {
		n.submit("noop", nil)
	}
	n.emptied("default")
	n.eventually("no handler is counted as running", func() bool {
		families, err := n.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() != "troupe_queue_running" {
				continue
			}
			for _, m := range f.GetMetric() {
				if m.GetLabel()[0].GetValue() == "default" {
					return m.GetGauge().GetValue() == 0
				}
			}
		}
		return false
	})
}
