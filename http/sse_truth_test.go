package httpapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// slowStore takes its time before it commits, so that whoever speaks too early is heard too early.
type slowStore struct{ persistence.Store }

func (s slowStore) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	<-time.After(20 * time.Millisecond)
	return s.Store.Commit(ctx, writes)
}

// P5: nothing is said to have happened before the store has it, neither at the node where it happens nor at another. What is
// only progress belongs to a claim that the store has; and "queued" is as durable as its 202.
func TestNothingIsSaidBeforeItIsCommitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	slow := func(c *actors.Config) { c.Store = slowStore{c.Store} }
	nodes := []*rig{w.start(nil, slow), w.start(nil, slow)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	var clients []*watcher
	store := w.db.Store()
	for _, node := range nodes {
		c := watch(t, node.URL, "/v1/stream?topic=all")
		c.onJob = func(said jobData) {
			if said.Rev < job.RevsPerToken && !said.Terminal { // not claimed yet
				return
			}
			records, err := store.Get(t.Context(), []job.ID{said.ID})
			if err != nil || len(records) == 0 {
				t.Errorf("job %s is said to be %s at %d, and the store has no row: %v", said.ID, said.Status, said.Rev, err)
				return
			}
			has := records[0].Job
			version := has.View().Version
			if has.Token < said.Rev/job.RevsPerToken || said.Status != "processing" && version < said.Rev {
				t.Errorf("job %s is said to be %s at %d while the store has %s at %d", said.ID, said.Status, said.Rev, has.Status, version)
			}
		}
		clients = append(clients, c)
		readers.Go(func() { c.stay(ctx) })
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	owned := churn(nodes, rand.New(rand.NewPCG(seed, 1)), 60)
	for _, c := range clients {
		for id := range owned {
			waitFor(t, "the end of job "+id.String(), func() bool { return c.knows(id) })
		}
	}
}

// P6: whenever one subscribes, before, while or after a job is submitted, runs and ends, at its node or another, its end is
// seen on that one connection.
func TestSubscribersAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	nodes := []*rig{w.start(nil, nil), w.start(nil, nil)}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var workers sync.WaitGroup
	for worker := range 4 {
		workers.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(worker)))
			for round := range 20 {
				batch := fmt.Sprintf("b%d-%d", worker, round)
				kinds := []string{"echo", "boom", "steps"}
				var parts sync.WaitGroup
				ids := make([]job.ID, 2)
				for i := range ids { // two writers
					at, kind, wait := nodes[rng.IntN(2)], kinds[rng.IntN(3)], time.Duration(rng.IntN(8_000))*time.Microsecond
					parts.Go(func() {
						<-time.After(wait)
						ids[i] = at.submit(fmt.Sprintf(`{"kind":%q,"batch":%q}`, kind, batch))
						single := watch(t, at.URL, "/v1/jobs/"+ids[i].String()+"/stream")
						c := single.connect(ctx)
						defer c.close()
						if end := endOf(t, c.until(eventEnd)); end.Reason != "done" || !single.knows(ids[i]) {
							t.Errorf("seed %d: job %s: end %+v, told %v", seed, ids[i], end, single.told())
						}
					})
				}
				for range 2 { // two subscribers
					at, wait := nodes[rng.IntN(2)], time.Duration(rng.IntN(12_000))*time.Microsecond
					parts.Go(func() {
						<-time.After(wait)
						c := watch(t, at.URL, "/v1/stream?topic=batch:"+batch).connect(ctx)
						defer c.close()
						for ended := 0; ended < 2; {
							e, ok := c.tryNext()
							if !ok || e.name == eventEnd {
								t.Errorf("seed %d: batch %s: %v", seed, batch, c.told())
								return
							}
							ended = 0
							for _, j := range c.state { // written by this goroutine only
								if j.Terminal {
									ended++
								}
							}
						}
					})
				}
				parts.Wait()
			}
		})
	}
	workers.Wait()
}
