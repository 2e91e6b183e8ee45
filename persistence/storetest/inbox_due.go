package storetest

import (
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// clockGrain is how exact an inbox must keep a due time.
const clockGrain = time.Millisecond

func (t *inboxTest) due(max int) (int, time.Time) {
	t.Helper()
	moved, next, err := t.in.Due(t.ctx, t.queue, max)
	t.check(err)
	return moved, next
}

func (t *inboxTest) wantNext(got, want time.Time) {
	t.Helper()
	if got.IsZero() != want.IsZero() || got.Sub(want).Abs() > clockGrain {
		t.Errorf("the next is due at %v, want %v", got, want)
	}
}

// dueAll asks until n jobs have moved.
func (t *inboxTest) dueAll(n int) (next time.Time) {
	t.Helper()
	eventually(t, "delayed jobs whose time has come are moved", func() bool {
		var moved int
		moved, next = t.due(n)
		n -= moved
		return n <= 0
	})
	return next
}

var dueCases = []inboxCase{
	{"a job whose time has come goes to the back of its priority", func(t *inboxTest) {
		soon, urgent, later, first := t.entry(1), t.entry(0), t.entry(1), t.entry(1)
		now := time.Now()
		soon.RunAt, urgent.RunAt, later.RunAt = now.Add(30*time.Millisecond), now.Add(30*time.Millisecond), now.Add(long)
		t.enqueue(soon, urgent, later, first)
		t.wantNext(t.dueAll(2), later.RunAt)
		t.wantDepth(3, 0, 1, 0)
		last := t.entry(1)
		t.enqueue(last)
		t.want("order", claimIDs(t.claim(9)), entryIDs(urgent, first, soon, last))
	}},
	{"a job that a settlement delayed is claimable again when due", func(t *inboxTest) {
		e := t.entry(1)
		e.Crashes = 1
		t.enqueue(e)
		t.end(t.claimOne(e.ID), persistence.Delay, time.Now().Add(5*time.Millisecond))
		t.wantNext(t.dueAll(1), time.Time{})
		t.want("claim", t.claimOne(e.ID), persistence.Claim{ID: e.ID, Life: e.Life, Token: 2, Crashes: 1, Envelope: e.Envelope})
	}},
	{"the next due time is told also when nothing moves, and is zero if none is delayed", func(t *inboxTest) {
		moved, next := t.due(10)
		t.want("moved", moved, 0)
		t.wantNext(next, time.Time{})
		near, far := t.entry(1), t.entry(0)
		near.RunAt, far.RunAt = time.Now().Add(long), time.Now().Add(300*24*time.Hour)
		t.enqueue(far, near)
		moved, next = t.due(10)
		t.want("moved", moved, 0)
		t.wantNext(next, near.RunAt)
	}},
	{"at most as many are moved as was asked", func(t *inboxTest) {
		entries := t.entries(5, 1)
		for i := range entries {
			entries[i].RunAt = time.Now().Add(20 * time.Millisecond)
		}
		t.enqueue(entries...)
		for total := 0; total < 5; {
			moved, _ := t.due(2)
			if total += moved; moved > 2 {
				t.Fatalf("%d were moved, asked for 2", moved)
			}
			t.wantDepth(int64(total), 0, int64(5-total), 0)
		}
	}},
	{"hastening makes a delayed job claimable and raises its token", func(t *inboxTest) {
		low, high, untouched := t.entry(0), t.entry(1), t.entry(1)
		low.Token, high.Token = 5, 50
		for _, e := range []*persistence.Entry{&low, &high, &untouched} {
			e.RunAt = time.Now().Add(long)
		}
		t.enqueue(low, high, untouched)
		t.check(t.in.Hasten(t.ctx, t.queue, map[job.ID]int64{low.ID: 20, high.ID: 20, NewID(t.rng, time.Now()): 3}))
		t.wantDepth(2, 0, 1, 0)
		t.want("token raised", t.claimOne(low.ID).Token, int64(21))
		t.want("token kept", t.claimOne(high.ID).Token, int64(51))
		t.check(t.in.Hasten(t.ctx, t.queue, nil))
		t.wantDepth(0, 2, 1, 0)
	}},
	{"hastening leaves jobs that are not delayed", func(t *inboxTest) {
		leased, first, second := t.entry(0), t.entry(1), t.entry(1)
		t.enqueue(leased, first, second)
		c := t.claimOne(leased.ID)
		t.check(t.in.Hasten(t.ctx, t.queue, map[job.ID]int64{leased.ID: 9, second.ID: 9}))
		t.wantDepth(2, 1, 0, 0)
		t.wantLease(persistence.Held, t.lease(c))
		t.want("token", t.claimOne(first.ID).Token, int64(1))
		t.want("token", t.claimOne(second.ID).Token, int64(1))
	}},
}
