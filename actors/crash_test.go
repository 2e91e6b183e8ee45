package actors_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestDeadNodesJobIsAdoptedWithItsCheckpointAndSpendsNoAttempt(t *testing.T) {
	w := embedded(t)
	var restored atomic.Int64
	steps := func(ctx context.Context, j *actors.Job) error {
		var at int
		if ok, err := j.Restore(&at); err != nil {
			return err
		} else if ok {
			restored.Store(int64(at))
			return nil
		}
		if err := j.Checkpoint(ctx, 7); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}
	dying := w.start(t, map[string]actors.Handler{"steps": steps}, hasty)
	id := dying.submit("steps", nil)
	dying.eventually("the checkpoint is kept", func() bool {
		history, err := dying.History(t.Context(), id)
		return err == nil && slices.ContainsFunc(history, func(h job.Transition) bool { return h.Event == "Checkpointed" })
	})
	dying.Close() // as a crash: nothing is handed back
	heir := w.start(t, map[string]actors.Handler{"steps": steps}, hasty)
	j := heir.await(id, job.Completed)
	if restored.Load() != 7 || j.Attempts != 0 || j.Attempt != 1 || j.Crashes != 1 || j.Node != heir.Node() {
		t.Errorf("adopted as %+v, from checkpoint %d", j, restored.Load())
	}
}

func TestJobThatKillsItsNodesIsADeadLetterWithThatReason(t *testing.T) {
	w := embedded(t)
	started := make(chan struct{}, 100)
	poison := map[string]actors.Handler{
		"poison": func(ctx context.Context, _ *actors.Job) error { started <- struct{}{}; <-ctx.Done(); return ctx.Err() },
	}
	victim := w.start(t, poison, hasty)
	id := victim.submit("poison", nil)
	for range job.DefaultMaxCrashes + 1 {
		<-started
		victim.Close()
		victim = w.start(t, poison, hasty)
	}
	j := victim.await(id, job.Failed)
	if j.Failure.Code != job.CodeCrashes || j.Crashes != job.DefaultMaxCrashes+1 || j.Attempts != 0 {
		t.Errorf("dead as %+v", j)
	}
	if len(started) > 0 {
		t.Error("it was run once more")
	}
}

func TestZombieChangesNothing(t *testing.T) {
	w := embedded(t)
	asleep := make(chan struct{})
	zombie := w.start(t, map[string]actors.Handler{
		"nap": func(context.Context, *actors.Job) error { <-asleep; return errors.New("the zombie's word") },
	}, func(c *actors.Config) { // with one slot, taken, it claims nothing more
		c.CancelGrace, c.Queues = time.Minute, []actors.Queue{{Name: "default", Concurrency: 1}}
	})
	id := zombie.submit("nap", nil)
	zombie.await(id, job.Processing)
	// Another node reaps the lease while the zombie's process stands still: here, by taking the claim away under its feet.
	if _, err := w.inbox.Settle(t.Context(), "default", settleAs(zombie.Node(), id, 1)); err != nil {
		t.Fatal(err)
	}
	heir := w.start(t, map[string]actors.Handler{"nap": func(_ context.Context, j *actors.Job) error { return j.Result("the heir's word") }})
	heir.eventually("the job has ended", func() bool {
		j, err := heir.Get(t.Context(), id)
		return err == nil && j.Status.Terminal()
	})
	close(asleep)
	heir.emptied("default")
	time.Sleep(200 * time.Millisecond)
	j := heir.await(id, job.Completed)
	if string(j.Result) != `"the heir's word"` || j.Attempts != 0 {
		t.Errorf("ended as %+v", j)
	}
	terminal := 0
	history, err := heir.History(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range history {
		if h.Status.Terminal() {
			terminal++
		}
	}
	if terminal != 1 {
		t.Errorf("%d terminal transitions in one life: %+v", terminal, history)
	}
}

// TestZombieReplacesNoFile has an attempt that was overtaken store its film after its heir has stored one of that name.
func TestZombieReplacesNoFile(t *testing.T) {
	w := embedded(t)
	asleep, said := make(chan struct{}), make(chan error, 1)
	zombie := w.start(t, map[string]actors.Handler{"film": func(_ context.Context, j *actors.Job) error {
		<-asleep
		_, err := j.Artifact(context.Background(), "film", "video/mp4", strings.NewReader("the zombie's"), 100)
		said <- err
		return nil
	}}, func(c *actors.Config) {
		c.CancelGrace, c.Queues = time.Minute, []actors.Queue{{Name: "default", Concurrency: 1}}
	})
	id := zombie.submit("film", nil)
	zombie.await(id, job.Processing)
	if _, err := w.inbox.Settle(t.Context(), "default", settleAs(zombie.Node(), id, 1)); err != nil {
		t.Fatal(err)
	}
	heir := w.start(t, map[string]actors.Handler{"film": func(ctx context.Context, j *actors.Job) error {
		_, err := j.Artifact(ctx, "film", "video/mp4", strings.NewReader("the heir's"), 100)
		return err
	}})
	heir.await(id, job.Completed)
	close(asleep)
	if err := <-said; !errors.Is(err, actors.ErrLeaseLost) {
		t.Errorf("the zombie's storing: %v, want ErrLeaseLost", err)
	}
	_, file, err := heir.OpenArtifact(t.Context(), id, "film")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if got, err := io.ReadAll(file); err != nil || string(got) != "the heir's" {
		t.Errorf("the film is %q (%v)", got, err)
	}
}

func TestDrainHandsBackWithoutSpendingAnAttempt(t *testing.T) {
	w := embedded(t)
	quickly := map[string]actors.Handler{"obedient": obedient, "short": func(ctx context.Context, _ *actors.Job) error {
		select {
		case <-time.After(150 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	n := w.start(t, quickly)
	long, short := n.submit("obedient", nil), n.submit("short", nil)
	n.await(long, job.Processing)
	n.await(short, job.Processing)
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if err := n.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("drain: %v", err)
	}
	n.await(short, job.Completed)
	j := n.await(long, job.Queued)
	if j.Attempts != 0 || j.Crashes != 0 {
		t.Errorf("handed back as %+v", j)
	}
	if _, err := n.Submit(t.Context(), actors.Submission{Kind: "short"}); !errors.Is(err, actors.ErrClosed) {
		t.Errorf("submit while draining: %v", err)
	}
	next := w.start(t, map[string]actors.Handler{"obedient": func(context.Context, *actors.Job) error { return nil }})
	if j := next.await(long, job.Completed); j.Attempts != 0 || j.Crashes != 0 || j.Attempt != 1 {
		t.Errorf("completed as %+v", j)
	}
}

func TestJobWhoseEnvelopeCannotBeReadIsWhatItsRowSays(t *testing.T) {
	w := embedded(t)
	n := w.start(t, noop)
	id := n.submit("noop", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(time.Hour) })
	n.await(id, job.Scheduled)
	if err := w.inbox.Remove(t.Context(), "default", []job.ID{id}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.inbox.Enqueue(t.Context(), "default", []persistence.Entry{{ID: id, Life: 1, Envelope: []byte("rubbish")}}); err != nil {
		t.Fatal(err)
	}
	n.await(id, job.Completed)
	n.emptied("default")
}
