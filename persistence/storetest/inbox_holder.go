package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// reapHolder walks the leases once.
func (t *inboxTest) reapHolder(node string, max int) (all []job.ID) {
	t.Helper()
	for after := ""; ; {
		ids, next, err := t.in.ReapHolder(t.ctx, t.queue, node, after, max)
		t.check(err)
		all = append(all, ids...)
		if after = next; after == "" {
			return all
		}
	}
}

// claimsOf has a node claim so many new jobs.
func (t *inboxTest) claimsOf(node string, n int) []persistence.Claim {
	t.Helper()
	for part := range slices.Chunk(t.entries(n, 1), persistence.MaxBatch) {
		t.enqueue(part...)
	}
	mine := *t
	mine.node = node
	var all []persistence.Claim
	for len(all) < n {
		all = append(all, mine.claim(n-len(all))...)
	}
	return all
}

var holderCases = []inboxCase{
	{"a dead node's jobs come to the front, in order, with the crash counted; others' leases hold", func(t *inboxTest) {
		var dead []persistence.Claim
		for range 20 { // one by one, so that the leases end one after another
			dead = append(dead, t.claimsOf("dead", 1)...)
		}
		other := t.claimsOf(t.node, 20)
		low := t.entry(1)
		t.enqueue(low)
		t.want("reaped", t.reapHolder("dead", 100), claimIDs(dead))
		t.want("reaped again", t.reapHolder("dead", 100), []job.ID(nil))
		t.want("reaped of who holds nothing", t.reapHolder("dea", 100), []job.ID(nil))
		t.wantDepth(21, 20, 0, 0)
		for _, c := range other {
			t.wantLease(persistence.Held, t.lease(c))
		}
		late := t.lease(dead[0])
		late.Node = "dead"
		t.wantLease(persistence.Lost, late)
		t.want("settled late", t.settle(persistence.Settlement{Lease: late, Verb: persistence.Ack}), []bool{false})
		again := t.claim(100)
		t.want("order", claimIDs(again), append(claimIDs(dead), low.ID))
		for i, c := range again[:len(dead)] {
			t.want("claim", c, persistence.Claim{ID: c.ID, Life: 1, Token: 2, Crashes: 1, Envelope: dead[i].Envelope})
		}
	}},
	{"each priority has its own front", func(t *inboxTest) {
		a, b, waiting := t.entry(0), t.entry(2), t.entry(0)
		t.enqueue(a, b)
		t.claim(2)
		t.enqueue(waiting)
		t.want("reaped", sortedIDs(t.reapHolder(t.node, 1)), sortedIDs(entryIDs(a, b)))
		t.want("order", claimIDs(t.claim(9)), entryIDs(a, waiting, b))
	}},
	{"an empty queue, nothing asked for and a cursor that is none", func(t *inboxTest) {
		ids, next, err := t.in.ReapHolder(t.ctx, t.queue, t.node, "", 10)
		t.check(err)
		t.want("reaped", ids, []job.ID(nil))
		t.want("next", next, "")
		t.enqueue(t.entry(1))
		c := t.claim(1)
		ids, _, err = t.in.ReapHolder(t.ctx, t.queue, t.node, "", 0)
		t.check(err)
		t.want("reaped", ids, []job.ID(nil))
		t.wantLease(persistence.Held, t.lease(c[0]))
	}},
	{"a walk meets all that the node holds from its first call to its last", func(t *inboxTest) {
		dead := t.claimsOf("dead", 700)
		other := t.claimsOf(t.node, 700)
		dead = append(dead, t.claimsOf("dead", 300)...)
		t.rng.Shuffle(len(other), func(i, k int) { other[i], other[k] = other[k], other[i] })
		var reaped []job.ID
		calls := 0
		for after := ""; ; calls++ {
			ids, next, err := t.in.ReapHolder(t.ctx, t.queue, "dead", after, 100)
			t.check(err)
			reaped = append(reaped, ids...)
			if after = next; after == "" {
				break
			}
			var leases []persistence.Lease // everybody renews, the dead one, too
			for _, c := range dead {
				leases = append(leases, persistence.Lease{ID: c.ID, Token: c.Token, Node: "dead"})
			}
			t.renew(leases...)
			for len(other) > 0 && t.rng.IntN(30) > 0 { // some end
				t.end(other[0], persistence.Ack, time.Time{})
				other = other[1:]
			}
			mine := *t
			mine.node = "node-c"
			mine.claim(t.rng.IntN(60)) // some come, of the reaped ones as well
		}
		want := sortedIDs(claimIDs(dead))
		t.want("reaped", sortedIDs(reaped), want)
		if calls < 3 {
			t.Errorf("%d calls looked at 1,700 leases by the hundred", calls)
		}
	}},
	{"walks at once return each job once", func(t *inboxTest) {
		dead := t.claimsOf("dead", 500)
		t.claimsOf(t.node, 500)
		var mu sync.Mutex
		var all []job.ID
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for after := ""; ; {
					ids, next, err := t.in.ReapHolder(t.ctx, t.queue, "dead", after, 50)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					all = append(all, ids...)
					mu.Unlock()
					if after = next; after == "" {
						return
					}
				}
			})
		}
		wg.Wait()
		t.want("reaped", sortedIDs(all), sortedIDs(claimIDs(dead)))
		t.wantDepth(500, 500, 0, 0)
	}},
}
