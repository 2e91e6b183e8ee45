package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// inVirtualTime runs a test with an embedded world in a bubble where minutes pass in no time. Not for hours: a node looks
// at its clock four times a second, in virtual time as well.
func inVirtualTime(t *testing.T, test func(t *testing.T, w world)) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		test(t, embeddedIn(t, folder))
	})
}

// look reads a job without waiting for anything.
func (n *node) look(id job.ID) job.Job {
	n.t.Helper()
	synctest.Wait()
	records, err := n.world.store.Get(context.Background(), []job.ID{id})
	if err != nil || len(records) != 1 {
		n.t.Fatalf("job %s: %d rows, %v", id, len(records), err)
	}
	return records[0].Job
}

func TestMinutesOfBackoffPassAsThePolicySays(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		var at []time.Time
		n := w.start(t, map[string]actors.Handler{"down": func(context.Context, *actors.Job) error {
			at = append(at, time.Now())
			return errors.New("still down")
		}})
		id := n.submit("down", nil, func(s *actors.Submission) {
			s.Policy = job.Policy{MaxAttempts: 5, Backoff: job.Backoff{Base: job.Duration(time.Minute), Max: job.Duration(3 * time.Minute)}}
		})
		time.Sleep(30 * time.Second)
		if j := n.look(id); j.Attempts < 1 || j.Status.Terminal() {
			t.Errorf("after half a minute: %s, %d attempts", j.Status, j.Attempts)
		}
		time.Sleep(10 * time.Minute)
		if j := n.look(id); j.Status != job.Failed || j.Attempts != 5 {
			t.Fatalf("after ten minutes: %s after %d attempts", j.Status, j.Attempts)
		}
		const m = time.Minute
		for i, b := range [][2]time.Duration{{0, m}, {m, 2 * m}, {3 * m / 2, 3 * m}, {3 * m / 2, 3 * m}} {
			if wait := at[i+1].Sub(at[i]); wait < b[0] || wait > b[1]+time.Second {
				t.Errorf("wait %d was %s, want within %s and %s", i+1, wait, b[0], b[1])
			}
		}
	})
}

func TestJobIsDueToTheMoment(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		n := w.start(t, noop)
		due := time.Now().Add(5 * time.Minute)
		id := n.submit("noop", nil, func(s *actors.Submission) { s.RunAt = due })
		time.Sleep(5*time.Minute - time.Second)
		if j := n.look(id); j.Status != job.Scheduled {
			t.Fatalf("a second before it is due: %s", j.Status)
		}
		time.Sleep(2 * time.Second)
		j := n.look(id)
		if late := j.Started.Sub(due); j.Status != job.Completed || late < 0 || late > 50*time.Millisecond {
			t.Errorf("%s, started %s after it was due", j.Status, late)
		}
	})
}

func TestLongHandlerKeepsItsLease(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		n := w.start(t, map[string]actors.Handler{"long": func(ctx context.Context, j *actors.Job) error {
			for i := range 100 {
				j.Progress(job.Progress{Percent: float64(i)})
				select {
				case <-ctx.Done():
					return context.Cause(ctx)
				case <-time.After(5 * time.Second):
				}
			}
			return nil
		}})
		id := n.submit("long", nil)
		time.Sleep(250 * time.Second)
		if j := n.look(id); j.Status != job.Processing || j.Progress.Percent < 48 || j.Progress.Percent > 51 {
			t.Errorf("after half its time: %s at %g %%", j.Status, j.Progress.Percent)
		}
		time.Sleep(260 * time.Second)
		if j := n.look(id); j.Status != job.Completed || j.Crashes != 0 || j.Token != 1 {
			t.Errorf("after all its time: %+v", j)
		}
	})
}

func TestEndedJobsAreForgottenAfterTheirRetention(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		n := w.start(t, noop, func(c *actors.Config) { c.Retention = 5 * time.Minute })
		old := n.submit("noop", nil)
		time.Sleep(time.Minute)
		n.look(old)
		time.Sleep(11 * time.Minute)
		young := n.submit("noop", nil)
		time.Sleep(time.Second)
		n.look(young)
		time.Sleep(10 * time.Minute)
		if records, err := w.store.Get(t.Context(), []job.ID{old}); err != nil || len(records) != 0 {
			t.Errorf("%d rows, %v", len(records), err)
		}
	})
}
