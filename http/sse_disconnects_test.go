package httpapi

import (
	"context"
	stdflag "flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

var disconnects = stdflag.Int("disconnects", 0, "how often clients are cut off in the test of random disconnects; 0 is 10,000, but 2,000 with -short or -race")

// 50 clients watch 500 jobs at two nodes and are cut off at random, 10,000 times in all. In the end each has seen the end of every job it
// watches, and none was ever shown an end that was taken back, or a version below one that it had applied as news: P1, P2, P3, P4, P9.
func TestRandomDisconnects(t *testing.T) {
	const clients, jobs, owners = 50, 500, 10
	cuts := 10_000
	if testing.Short() || raced {
		cuts = 2000
	}
	if *disconnects > 0 {
		cuts = *disconnects
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := newWorld(t, testenv.Redis(t))
	wide := func(c *Config) { c.Streams.PerIP, c.Streams.PerPrincipal = 4*clients, 4*clients }
	nodes := []*rig{w.start(wide, nil), w.start(wide, nil)}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	var done atomic.Int64
	began := time.Now()
	owned := map[string][]job.ID{} // by owner; complete once submitted is closed
	var every []job.ID
	submitted := make(chan struct{})
	go func() { // as many jobs as fit the pace of the cuts, so that each is cut off from in all its states
		defer close(submitted)
		rng := rand.New(rand.NewPCG(seed, 1))
		for n := range jobs {
			for done.Load() < int64(n)*int64(cuts)*9/10/jobs {
				<-time.After(time.Millisecond)
				if ctx.Err() != nil {
					return
				}
			}
			owner := fmt.Sprintf("u%d", n%owners)
			kind := []string{"steps", "steps", "echo", "boom"}[rng.IntN(4)]
			id := nodes[rng.IntN(2)].submit(fmt.Sprintf(`{"kind":%q,"owner":%q,"delay":"%dms"}`, kind, owner, rng.IntN(2)*rng.IntN(300)))
			owned[owner] = append(owned[owner], id)
			every = append(every, id)
		}
	}()
	var running sync.WaitGroup
	all := make([]*watcher, clients)
	modes := make([]map[string]int, clients)
	for i := range all {
		path := fmt.Sprintf("/v1/stream?topic=owner:u%d", i%owners)
		if i%10 == 9 {
			path = "/v1/stream?topic=all"
		}
		c := watch(t, nodes[i%2].URL, path)
		c.onJob = c.noRegress()
		all[i], modes[i] = c, c.modes
		running.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(100+i)))
			for done.Add(1) <= int64(cuts) && ctx.Err() == nil {
				c.glimpse(ctx, nodes, rng)
			}
		})
	}
	running.Wait()
	<-submitted
	took := time.Since(began)
	waitFor(t, "all jobs to end", func() bool {
		var page jobPage
		do(t, nodes[0].Server, "GET", "/v1/jobs?limit=1&status=scheduled,queued,processing,retrying,cancelling", "").decode(t, &page)
		return len(page.Jobs) == 0
	})
	for i, c := range all { // each comes back once more, from where it stands
		last := c.connect(ctx)
		last.until(eventReady)
		last.close()
		want := every
		if _, owner, ok := strings.Cut(c.path, "owner:"); ok {
			want = owned[owner]
		}
		missed := 0
		for _, id := range want {
			if !c.state[id].Terminal {
				missed++
			}
		}
		if missed > 0 {
			t.Errorf("seed %d: client %d of %s missed the ends of %d of %d jobs", seed, i, c.path, missed, len(want))
		}
	}
	count := map[string]int{}
	for _, m := range modes {
		for mode, n := range m {
			count[mode] += n
		}
	}
	t.Logf("%d disconnects in %s; connections by mode: %v", cuts, took.Round(100*time.Millisecond), count)
	if len(every) != jobs || count["resume"] < cuts/4 || count["snapshot"] < cuts/50 {
		t.Errorf("%d jobs, connections by mode %v", len(every), count)
	}
}

// glimpse is one connection that is cut off after a few frames, or a moment.
func (w *watcher) glimpse(ctx context.Context, nodes []*rig, rng *rand.Rand) {
	if rng.IntN(12) == 0 {
		w.base = nodes[rng.IntN(len(nodes))].URL
	}
	c := w.connect(ctx)
	defer c.close()
	for patient := rng.IntN(8) > 0; patient && !c.ready; { // whoever is cut off before that has to begin anew
		if e, ok := c.tryNext(); !ok || e.name == eventEnd {
			return
		}
	}
	cut := time.AfterFunc(time.Duration(rng.IntN(30))*time.Millisecond, c.close)
	defer cut.Stop()
	for range rng.IntN(40) {
		if e, ok := c.tryNext(); !ok || e.name == eventEnd {
			return
		}
	}
}

// noRegress sees to it that no end is taken back within a life, on whatever connection.
func (w *watcher) noRegress() func(jobData) {
	ended := map[job.ID]int64{} // the rev of the end
	return func(j jobData) {
		if at, over := ended[j.ID]; over && !j.Terminal && j.Rev > at {
			w.t.Errorf("job %s: %s at %d after its end at %d", j.ID, j.Status, j.Rev, at)
		}
		if j.Terminal {
			ended[j.ID] = max(ended[j.ID], j.Rev)
		}
	}
}
