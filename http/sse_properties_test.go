package httpapi

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Clients come, are cut off after any frame, and come back, while jobs are submitted, run, fail, are cancelled and
// redriven. In the end each client knows what the store knows: P1, P2, P3, P4, P7 and P9 of the contract of streams.
func TestClientsThatComeAndGoMissNothing(t *testing.T) {
	rig := newRig(t, func(c *Config) { c.Streams.MaxAge = 3 * time.Second })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ctx := limited(t)
	stop := make(chan struct{})
	results := make(chan *watcher, 8)
	for i := range 8 {
		go func() {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			path := "/v1/stream?topic=all"
			if i%2 == 1 {
				path = "/v1/stream?topic=owner:u1&topic=owner:u2"
			}
			results <- restless(ctx, watch(t, rig.URL, path), rng, stop)
		}()
	}
	owned := rig.churn(rand.New(rand.NewPCG(seed, 99)), 150)
	close(stop)
	want := map[job.ID]string{}
	for id := range owned {
		var view job.View
		do(t, rig.Server, "GET", "/v1/jobs/"+id.String(), "").decode(t, &view)
		want[id] = fmt.Sprintf("%s at %d", view.Status, view.Version)
	}
	fresh := watch(t, rig.URL, "/v1/stream?topic=all")
	c := fresh.connect(ctx)
	c.until(eventReady)
	c.close()
	if diff := cmp.Diff(want, told(fresh)); diff != "" {
		t.Errorf("seed %d: the store (-) and a snapshot (+) differ:\n%s", seed, diff)
	}
	for range 8 {
		w := <-results
		mine := maps.Clone(want)
		maps.DeleteFunc(mine, func(id job.ID, _ string) bool {
			return strings.Contains(w.path, "owner") && owned[id] != "u1" && owned[id] != "u2"
		})
		if diff := cmp.Diff(mine, told(w)); diff != "" {
			t.Errorf("seed %d, %s: the store (-) and the client (+) differ:\n%s", seed, w.path, diff)
		}
	}
}

// restless reads, lets itself be cut off, comes back; and when all is quiet, once more to the end.
func restless(ctx context.Context, w *watcher, rng *rand.Rand, stop chan struct{}) *watcher {
	for {
		select {
		case <-stop:
			c := w.connect(ctx)
			defer c.close()
			for !c.ready {
				if _, ok := c.tryNext(); !ok {
					return w
				}
			}
			return w
		default:
		}
		patience, cancel := context.WithTimeout(ctx, time.Duration(1+rng.IntN(300))*time.Millisecond)
		c := w.dial(ctx)
		context.AfterFunc(patience, c.close)
		for range rng.IntN(60) {
			if e, ok := c.tryNext(); !ok || e.name == eventEnd {
				break
			}
		}
		cancel()
		c.close()
	}
}

// churn makes n jobs live their lives, and answers their owners.
func (r *rig) churn(rng *rand.Rand, n int) map[job.ID]string {
	owned := map[job.ID]string{}
	for range n {
		owner := fmt.Sprintf("u%d", rng.IntN(4))
		kind := []string{"echo", "steps", "steps", "boom"}[rng.IntN(4)]
		id := r.submit(fmt.Sprintf(`{"kind":%q,"owner":%q,"delay":"%dms"}`, kind, owner, rng.IntN(3)*20))
		owned[id] = owner
		switch rng.IntN(6) {
		case 0:
			do(r.t, r.Server, "POST", "/v1/jobs/"+id.String()+"/cancel", "")
		case 1:
			do(r.t, r.Server, "POST", "/v1/jobs/"+id.String()+"/retry", "")
		}
	}
	waitFor(r.t, "all jobs to end", func() bool {
		var page jobPage
		do(r.t, r.Server, "GET", "/v1/jobs?status=scheduled,queued,processing,retrying,cancelling", "").decode(r.t, &page)
		return len(page.Jobs) == 0
	})
	return owned
}

func told(w *watcher) map[job.ID]string {
	all := map[job.ID]string{}
	for id, j := range w.state {
		all[id] = fmt.Sprintf("%s at %d", j.Status, j.Rev)
	}
	return all
}
