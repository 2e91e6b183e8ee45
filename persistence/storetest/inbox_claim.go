package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var claimCases = []inboxCase{
	{"an empty queue gives nothing at once", func(t *inboxTest) {
		t.want("claims", t.claim(10), []persistence.Claim(nil))
		t.enqueue(t.entry(1))
		t.want("claims of none", t.claim(0), []persistence.Claim(nil))
		t.wantDepth(1, 0, 0, 0)
	}},
	{"the smallest priority first, then who waited longest", func(t *inboxTest) {
		var batches [job.MaxPriority + 1][]persistence.Entry
		for range 3 {
			for p := job.MaxPriority; p >= 0; p-- {
				some := t.entries(2, p)
				t.enqueue(some...)
				batches[p] = append(batches[p], some...)
			}
		}
		order := entryIDs(slices.Concat(batches[:]...)...)
		var got []job.ID
		for _, max := range []int{1, 4, 2, 100} {
			claims := t.claim(max)
			if len(claims) > max {
				t.Fatalf("%d claims, asked for %d", len(claims), max)
			}
			got = append(got, claimIDs(claims)...)
		}
		t.want("order", got, order)
	}},
	{"the order is of arrival, not of ids", func(t *inboxTest) {
		entries := t.entries(20, 1)
		t.rng.Shuffle(len(entries), func(i, k int) { entries[i], entries[k] = entries[k], entries[i] })
		for part := range slices.Chunk(entries, 7) {
			t.enqueue(part...)
		}
		t.want("order", claimIDs(t.claim(len(entries))), entryIDs(entries...))
	}},
	{"each claim's token is one greater than the last", func(t *inboxTest) {
		e := t.entry(1)
		e.Token = 1 << 40
		t.enqueue(e)
		for n := range int64(3) {
			c := t.claimOne(e.ID)
			t.want("token", c.Token, e.Token+1+n)
			t.end(c, persistence.Return, time.Time{})
		}
	}},
	{"claimers at once never share a job", func(t *inboxTest) {
		const claimers, jobs = 6, 300
		var (
			mu    sync.Mutex
			seen  = make(map[job.ID]int)
			total int
		)
		var wg sync.WaitGroup
		for part := range slices.Chunk(t.entries(jobs, 1), 50) {
			wg.Go(func() {
				if _, err := t.in.Enqueue(t.ctx, t.queue, part); err != nil {
					t.Error(err)
				}
			})
		}
		for n := range claimers {
			wg.Go(func() {
				eventually(t, "every job is claimed", func() bool {
					claims, err := t.in.Claim(t.ctx, t.queue, string(rune('a'+n)), persistence.Ask{Max: 7, Lease: long})
					if err != nil {
						t.Error(err)
						return true
					}
					mu.Lock()
					defer mu.Unlock()
					for _, c := range claims {
						seen[c.ID]++
					}
					total += len(claims)
					return total >= jobs
				})
			})
		}
		wg.Wait()
		if len(seen) != jobs || total != jobs {
			t.Errorf("%d claims of %d jobs, want %d of each", total, len(seen), jobs)
		}
		t.wantDepth(0, jobs, 0, 0)
	}},
}
