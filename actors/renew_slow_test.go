package actors_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// laggard is an inbox that renews leases late, as a server does that has too much to do.
type laggard struct {
	persistence.Inbox
	by time.Duration
}

func (l laggard) Renew(ctx context.Context, queue string, leases []persistence.Lease, term time.Duration) ([]persistence.Renewal, error) {
	time.Sleep(l.by)
	return l.Inbox.Renew(context.WithoutCancel(ctx), queue, leases, term)
}

// TestARenewalLongerThanATickCostsNoLease: a job that is claimed just after a long renewal began must not wait for a tick after the one
// that fell into it.
func TestARenewalLongerThanATickCostsNoLease(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, w world) {
		var runs atomic.Int64
		w.inbox = laggard{w.inbox, 3700 * time.Millisecond}
		n := w.start(t, map[string]actors.Handler{"long": func(ctx context.Context, _ *actors.Job) error {
			runs.Add(1)
			select {
			case <-time.After(40 * time.Second):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}}, func(c *actors.Config) { c.Lease = 9 * time.Second }) // a tick is 3 s
		first := n.submit("long", nil)
		time.Sleep(3100 * time.Millisecond)
		second := n.submit("long", nil)
		time.Sleep(time.Minute)
		for _, id := range []job.ID{first, second} {
			if j := n.look(id); j.Status != job.Completed || j.Crashes != 0 {
				t.Errorf("%s after %d lost leases", j.Status, j.Crashes)
			}
		}
		if runs.Load() != 2 {
			t.Errorf("%d runs of two jobs", runs.Load())
		}
	})
}
