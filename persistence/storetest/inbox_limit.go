package storetest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

func (t *inboxTest) claimUpTo(limit, max int) []persistence.Claim {
	t.Helper()
	return t.ask(persistence.Ask{Max: max, Lease: long, Limit: limit})
}

var limitCases = []inboxCase{
	{"a claim gives no more than bring the queue to its limit, whoever holds the leases", func(t *inboxTest) {
		t.enqueue(t.entries(9, 1)...)
		first := t.claimUpTo(3, 2)
		t.want("claims", len(first), 2)
		other := *t
		other.node = "node-b"
		t.want("claims of another node", len(other.claimUpTo(3, 2)), 1)
		t.want("claims at the limit", t.claimUpTo(3, 2), []persistence.Claim(nil))
		t.want("claims over the limit", t.claimUpTo(1, 2), []persistence.Claim(nil))
		t.wantDepth(6, 3, 0, 0)
		t.end(first[0], persistence.Ack, time.Time{})
		t.want("claims after one has ended", len(t.claimUpTo(3, 9)), 1)
		t.want("claims under a greater limit", len(t.claimUpTo(5, 9)), 2)
		t.want("claims without a limit", len(t.claim(9)), 3)
	}},
	{"the limit counts parked jobs once they are claimed", func(t *inboxTest) {
		for range 4 {
			t.parked(t.entry(1), "render")
		}
		t.enqueue(t.entry(0))
		ask := persistence.Ask{Max: 9, Lease: long, Limit: 3, Can: []string{"render"}}
		t.want("claims", len(t.ask(ask)), 3)
		t.want("claims at the limit", t.ask(ask), []persistence.Claim(nil))
		t.wantDepth(2, 3, 0, 0)
		t.wantParked(map[string]int64{"render": 1})
	}},
	{"a queue's limit is not another's", func(t *inboxTest) {
		t.enqueue(t.entry(1))
		t.claimUpTo(1, 1)
		t.queue = "songs"
		t.enqueue(t.entry(1))
		t.want("claims", len(t.claimUpTo(1, 1)), 1)
	}},
	{"claimers at once never pass the limit", func(t *inboxTest) {
		const claimers, jobs, limit = 6, 240, 5
		t.enqueue(t.entries(jobs, 1)...)
		var held, done atomic.Int64
		var wg sync.WaitGroup
		for n := range claimers {
			wg.Go(func() {
				mine := *t
				mine.node = string(rune('a' + n))
				eventually(t, "every job has ended", func() bool {
					claims, err := mine.in.Claim(t.ctx, t.queue, mine.node, persistence.Ask{Max: 1 + n, Lease: long, Limit: limit})
					if err != nil {
						t.Error(err)
						return true
					}
					if now := held.Add(int64(len(claims))); now > limit {
						t.Errorf("%d jobs are held, the limit is %d", now, limit)
					}
					for _, c := range claims {
						held.Add(-1)
						if _, err := mine.in.Settle(t.ctx, t.queue, []persistence.Settlement{{Lease: mine.lease(c), Verb: persistence.Ack}}); err != nil {
							t.Error(err)
						}
					}
					return done.Add(int64(len(claims))) >= jobs
				})
			})
		}
		wg.Wait()
		t.wantDepth(0, 0, 0, 0)
	}},
	{"who was cut by the limit is woken when a lease ends", func(t *inboxTest) {
		var wakes atomic.Int64
		stop := watching(t.T, t.ctx, "Watch", func(ctx context.Context) error {
			return t.in.Watch(ctx, func(string) { wakes.Add(1) })
		})
		t.enqueue(t.entries(200, 1)...)
		held := t.claimUpTo(20, 20)
		eventually(t, "woken by a settlement after a claim was cut", func() bool {
			t.claimUpTo(20, 1)
			before := wakes.Load()
			t.end(held[0], persistence.Ack, time.Time{})
			held = append(held[1:], t.claimUpTo(20, 1)...)
			return wakes.Load() > before // it may miss some
		})
		stop()
	}},
	{"parking and returning a dead node's jobs wakes", func(t *inboxTest) {
		var wakes atomic.Int64
		stop := watching(t.T, t.ctx, "Watch", func(ctx context.Context) error {
			return t.in.Watch(ctx, func(string) { wakes.Add(1) })
		})
		t.enqueue(t.entry(1))
		eventually(t, "woken by a parked job", func() bool {
			before := wakes.Load()
			t.park("render", t.claimAs(1, "render")...)
			return wakes.Load() > before
		})
		eventually(t, "woken by reaping a holder", func() bool {
			t.claimAs(1, "render")
			before := wakes.Load()
			t.reapHolder(t.node, 10)
			return wakes.Load() > before
		})
		stop()
	}},
}
