package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// obedient runs until it is told to stop.
func obedient(ctx context.Context, _ *actors.Job) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func TestWaitingJobIsCancelledAtOnceAndNeverRuns(t *testing.T) {
	ran := make(chan struct{}, 1)
	n := embedded(t).start(t, map[string]actors.Handler{
		"later": func(context.Context, *actors.Job) error { ran <- struct{}{}; return nil },
	})
	id := n.submit("later", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(300 * time.Millisecond) })
	j, err := n.Cancel(t.Context(), id, "op", "changed my mind")
	if err != nil || j.Status != job.Cancelled || j.Finished.IsZero() {
		t.Fatalf("cancel: %+v, %v", j, err)
	}
	if _, err := n.Cancel(t.Context(), id, "op", ""); err != nil {
		t.Errorf("cancelling again: %v", err)
	}
	n.emptied("default")
	select {
	case <-ran:
		t.Error("it ran")
	case <-time.After(600 * time.Millisecond):
	}
}

func TestRunningJobIsAskedToStop(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"obedient": obedient})
	id := n.submit("obedient", nil)
	n.await(id, job.Processing)
	if _, err := n.Cancel(t.Context(), id, "op", "too costly"); err != nil {
		t.Fatal(err)
	}
	if j := n.await(id, job.Cancelled); j.Attempts != 0 || j.Failure != nil {
		t.Errorf("cancelled as %+v", j)
	}
	history, err := n.History(t.Context(), id)
	if err != nil || !slices.ContainsFunc(history, func(h job.Transition) bool { return h.Note == "by op: too costly" }) {
		t.Errorf("the history does not say who cancelled it and why: %+v, %v", history, err)
	}
	n.emptied("default")
}

func TestCancelReachesAnotherNode(t *testing.T) {
	w := embedded(t)
	holder := w.start(t, map[string]actors.Handler{"obedient": obedient}, hasty)
	id := holder.submit("obedient", nil)
	holder.await(id, job.Processing)
	// This one has a bus of its own and hears nothing: word left in the inbox must do.
	other := w.start(t, map[string]actors.Handler{"obedient": obedient})
	if _, err := other.Cancel(t.Context(), id, "op", ""); err != nil {
		t.Fatal(err)
	}
	other.await(id, job.Cancelled)
}

func TestHandlerThatIgnoresCancellationIsGivenUpButKeepsItsSlot(t *testing.T) {
	release := make(chan struct{})
	n := embedded(t).start(t, map[string]actors.Handler{
		"deaf": func(context.Context, *actors.Job) error { <-release; return nil },
		"noop": func(context.Context, *actors.Job) error { return nil },
	}, func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "default", Concurrency: 1}} })
	id := n.submit("deaf", nil)
	n.await(id, job.Processing)
	if _, err := n.Cancel(t.Context(), id, "op", ""); err != nil {
		t.Fatal(err)
	}
	n.await(id, job.Cancelled)
	next := n.submit("noop", nil)
	time.Sleep(300 * time.Millisecond)
	if j, err := n.Get(t.Context(), next); err != nil || j.Status != job.Queued {
		t.Errorf("the slot was given away while the handler still runs: %v, %v", j.Status, err)
	}
	close(release)
	n.await(next, job.Completed)
}

func TestCancelThatComesTooLateIsRefused(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"noop": func(context.Context, *actors.Job) error { return nil }})
	id := n.submit("noop", nil)
	n.await(id, job.Completed)
	if _, err := n.Cancel(t.Context(), id, "op", ""); !errors.Is(err, job.ErrTerminal) {
		t.Errorf("cancel after the end: %v", err)
	}
	if _, err := n.Retry(t.Context(), id, "op"); !errors.Is(err, job.ErrNotAllowed) {
		t.Errorf("retry after success: %v", err)
	}
	if err := n.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := n.History(t.Context(), id); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("history of a deleted job: %v", err)
	}
}
