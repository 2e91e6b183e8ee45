package actors_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/reference"
)

// What is late for a job's actor that has ended does not reach the next one of the same job on the same node.
func TestNextLifeIsNotReachedByWhatIsLateForTheLast(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		n := w.start(t, map[string]actors.Handler{"stubborn": func(_ context.Context, j *actors.Job) error {
			if j.Life() == 1 {
				time.Sleep(2 * time.Second) // although it is cancelled, and longer than the grace
				return j.Result("of the first life")
			}
			time.Sleep(5 * time.Second)
			return j.Result("of the second life")
		}})
		id := n.submit("stubborn", nil)
		time.Sleep(100 * time.Millisecond)
		if _, err := n.Cancel(t.Context(), id, "op", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if j := n.look(id); j.Status != job.Cancelled {
			t.Fatalf("after its grace it is %s", j.Status)
		}
		if _, err := n.Retry(t.Context(), id, "op"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if j := n.look(id); j.Status != job.Completed || j.Attempts != 0 || string(j.Result) != `"of the second life"` {
			t.Errorf("the second life is %s with %s after %d attempts", j.Status, j.Result, j.Attempts)
		}
	})
}

func TestGraceOfAnEndedAttemptDoesNotEndTheNext(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		n := w.start(t, map[string]actors.Handler{"obedient": func(ctx context.Context, j *actors.Job) error {
			if j.Life() == 1 {
				return obedient(ctx, j)
			}
			time.Sleep(5 * time.Second)
			return nil
		}})
		id := n.submit("obedient", nil)
		time.Sleep(100 * time.Millisecond)
		if _, err := n.Cancel(t.Context(), id, "op", ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		if _, err := n.Retry(t.Context(), id, "op"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if j := n.look(id); j.Status != job.Completed || j.Attempts != 0 {
			t.Errorf("the second life is %s after %d attempts", j.Status, j.Attempts)
		}
	})
}

// slowDoor answers an Enqueue a second late.
type slowDoor struct{ persistence.Inbox }

func (s slowDoor) Enqueue(ctx context.Context, queue string, entries []persistence.Entry) ([]persistence.Enqueued, error) {
	answers, err := s.Inbox.Enqueue(ctx, queue, entries)
	time.Sleep(time.Second)
	return answers, err
}

// slowToFail takes half a second to refuse a commit while it is down.
type slowToFail struct {
	persistence.Store
	down *atomic.Bool
}

func (s slowToFail) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	if s.down.Load() {
		time.Sleep(500 * time.Millisecond)
		return nil, persistence.ErrUnavailable
	}
	return s.Store.Commit(ctx, writes)
}

// The acceptance of a job comes to the journal while the job's end is being written, and that write fails: the end is not lost.
func TestEndOutlivesAnAcceptanceThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		store := reference.NewStore("")
		w := world{
			slowToFail{store, &down}, slowDoor{reference.NewInbox("")}, func(node string) persistence.Bus { return local.NewBus(node) }, nothingKept{},
		}
		n := w.start(t, noop)
		go func() { time.Sleep(3 * time.Second); down.Store(false) }()
		id := n.submit("noop", nil)
		time.Sleep(time.Minute)
		if j := n.look(id); j.Status != job.Completed {
			t.Errorf("it is %s", j.Status)
		}
		n.emptied("default")
	})
}

// nothingKept are artifacts that nobody makes.
type nothingKept struct{ persistence.Artifacts }

func (nothingKept) Delete(context.Context, []job.ID) error { return errors.ErrUnsupported }
