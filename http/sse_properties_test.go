package httpapi

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// Clients come to either of two nodes, read at their leisure, are cut off after any frame or sent away by a deployment, and
// come back, while jobs are submitted, run, fail, are cancelled and redriven at both. In the end each client knows
// what the store knows, and was told nothing that was not so: P1, P2, P3, P4, P7 and P9 of the contract of streams.
func TestClientsThatComeAndGoMissNothing(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := newWorld(t, testenv.Redis(t))
	often := func(c *Config) { c.Streams.MaxAge = 4 * time.Second }
	nodes := []*rig{w.start(often, nil), w.start(often, nil)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var restless, steady sync.WaitGroup
	stop := make(chan struct{})
	var clients []*watcher
	for i := range 8 {
		c := watch(t, nodes[i/2%len(nodes)].URL, []string{"/v1/stream?topic=all", "/v1/stream?topic=owner:u1&topic=owner:u2"}[i%2])
		clients = append(clients, c)
		if i < 4 {
			restless.Go(func() { c.comeAndGo(ctx, nodes, rand.New(rand.NewPCG(seed, uint64(i))), stop) })
		} else {
			steady.Go(func() { c.stay(ctx) })
		}
	}
	defer steady.Wait()
	defer cancel()
	began := time.Now()
	owned := churn(nodes, rand.New(rand.NewPCG(seed, 99)), 100)
	t.Logf("the jobs took %s", time.Since(began))
	want := map[job.ID]string{}
	for id := range owned {
		var view job.View
		do(t, nodes[0].Server, "GET", "/v1/jobs/"+id.String(), "").decode(t, &view)
		want[id] = fmt.Sprintf("%s at %d", view.Status, view.Version)
	}
	differs := func(c *watcher) string {
		mine := maps.Clone(want)
		maps.DeleteFunc(mine, func(id job.ID, _ string) bool {
			return strings.Contains(c.path, "owner") && owned[id] != "u1" && owned[id] != "u2"
		})
		return cmp.Diff(mine, c.told())
	}
	for _, c := range clients[4:] { // they stayed: nothing they have to do will tell them
		for deadline := time.Now().Add(20 * time.Second); differs(c) != "" && time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		}
	}
	close(stop)
	restless.Wait()
	cancel() // those that stayed go too: what each of them kept is read below, without its lock
	steady.Wait()
	modes := map[string]int{}
	for i, c := range clients {
		if diff := differs(c); diff != "" {
			t.Errorf("seed %d, client %d of %s: the store (-) and the client (+) differ:\n%s", seed, i, c.path, diff)
		}
		c.compareWithHistory(nodes[0])
		maps.Copy(modes, c.modes)
	}
	if modes["resume"] == 0 || modes["snapshot"] == 0 {
		t.Errorf("seed %d: connections were of the modes %v only", seed, modes)
	}
}

// comeAndGo reads, some of it slowly, lets itself be cut off and comes back, to any node; and when all is quiet, once more.
func (w *watcher) comeAndGo(ctx context.Context, nodes []*rig, rng *rand.Rand, stop chan struct{}) {
	for last := false; !last && ctx.Err() == nil; {
		select {
		case <-stop:
			last = true
		default:
		}
		if rng.IntN(3) == 0 {
			w.base = nodes[rng.IntN(len(nodes))].URL
		}
		c := w.connect(ctx)
		impatient := context.AfterFunc(ctx, c.close)
		if !last {
			cut := time.AfterFunc(time.Duration(1+rng.IntN(300))*time.Millisecond, c.close) // within a frame, perhaps
			defer cut.Stop()
		}
		slow := rng.IntN(4) == 0
		for left := rng.IntN(60); left > 0 && !last || last && !c.ready; left-- {
			if e, ok := c.tryNext(); !ok || e.name == eventEnd {
				last = false // that was no last look
				break
			}
			if slow && !last {
				<-time.After(time.Duration(rng.IntN(10)) * time.Millisecond)
			}
		}
		impatient()
		c.close()
		<-time.After(time.Duration(rng.IntN(200)) * time.Millisecond) // away
	}
}

// stay reads until the context is cancelled, and comes back when it is told to.
func (w *watcher) stay(ctx context.Context) {
	for ctx.Err() == nil {
		// A connection that is being made is not cancelled: that would look like a refusal. One that is open is closed.
		c := w.connect(context.WithoutCancel(ctx))
		over := context.AfterFunc(ctx, c.close)
		for {
			if e, ok := c.tryNext(); !ok || e.name == eventEnd {
				break
			}
		}
		over()
		c.close()
	}
}

// churn makes n jobs live their lives, at any of the nodes, and answers their owners.
func churn(nodes []*rig, rng *rand.Rand, n int) map[job.ID]string {
	owned := map[job.ID]string{}
	for i := range n {
		at := nodes[rng.IntN(len(nodes))]
		owner := fmt.Sprintf("u%d", rng.IntN(4))
		kind := []string{"echo", "steps", "steps", "boom"}[rng.IntN(4)]
		id := at.submit(fmt.Sprintf(`{"kind":%q,"owner":%q,"delay":"%dms"}`, kind, owner, rng.IntN(3)*20))
		owned[id] = owner
		if verb := []string{"cancel", "retry", "", "", "", ""}[rng.IntN(6)]; verb != "" {
			do(at.t, nodes[rng.IntN(len(nodes))].Server, "POST", "/v1/jobs/"+id.String()+"/"+verb, "")
		}
		if i%50 == 25 {
			at.replace()
		}
	}
	waitFor(nodes[0].t, "all jobs to end", func() bool {
		var page jobPage
		do(nodes[0].t, nodes[0].Server, "GET", "/v1/jobs?status=scheduled,queued,processing,retrying,cancelling", "").decode(nodes[0].t, &page)
		return len(page.Jobs) == 0
	})
	return owned
}

// compareWithHistory: what a client was told of a job is a part of what happened to it, in that order. A rev that the history
// has not is progress, and the job is then as the last transition left it.
func (w *watcher) compareWithHistory(r *rig) {
	for id, frames := range w.all {
		lines, err := r.app.History(r.t.Context(), id)
		if err != nil {
			r.t.Fatal(err)
		}
		at, percent := 0, 0.0
		for _, f := range frames {
			for at+1 < len(lines) && lines[at+1].Rev <= f.Rev {
				at, percent = at+1, 0
			}
			line := lines[at]
			was := line.Status.String()
			if f.Cancel.State == "requested" && line.Status == job.Processing {
				was = job.Cancelling.String() // word of it is on the row, and its holder has not heard yet
			}
			if f.Status != was || f.Progress.Percent < percent {
				r.t.Errorf("job %s was said to be %s at %g %% at %d, after %g %%; history has %s at %d",
					id, f.Status, f.Progress.Percent, f.Rev, percent, line.Status, line.Rev)
			}
			percent = f.Progress.Percent
		}
	}
}
