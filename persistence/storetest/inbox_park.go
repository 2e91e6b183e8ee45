package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// park parks claims under a name and wants them held.
func (t *inboxTest) park(name string, claims ...persistence.Claim) {
	t.Helper()
	settlements := make([]persistence.Settlement, len(claims))
	for i, c := range claims {
		settlements[i] = persistence.Settlement{Lease: t.lease(c), Verb: persistence.Park, For: name}
	}
	if slices.Contains(t.settle(settlements...), false) {
		t.Fatalf("not all of %v were held", claimIDs(claims))
	}
}

// parked enqueues a job, claims and parks it.
func (t *inboxTest) parked(e persistence.Entry, name string) persistence.Lease {
	t.Helper()
	t.enqueue(e)
	c := t.claimOne(e.ID)
	t.park(name, c)
	return t.lease(c)
}

func (t *inboxTest) claimAs(max int, can ...string) []persistence.Claim {
	t.Helper()
	return t.ask(persistence.Ask{Max: max, Lease: long, Can: can})
}

// wantParked compares what is parked; none if no pairs of name and number are given.
func (t *inboxTest) wantParked(want map[string]int64) {
	t.Helper()
	t.want("parked", t.depth().Parked, want)
}

var parkCases = []inboxCase{
	{"a parked job waits for who can take it, and has lost nothing", func(t *inboxTest) {
		e, other := t.entry(1), t.entry(1)
		e.Crashes = 3
		l := t.parked(e, "render")
		t.wantDepth(1, 0, 0, 0)
		t.wantParked(map[string]int64{"render": 1})
		t.wantLease(persistence.Lost, l)
		for _, can := range [][]string{nil, {"rende"}, {"render.hd", "renders"}, {"x", "Render"}} {
			t.want("claims of who can't", t.claimAs(9, can...), []persistence.Claim(nil))
		}
		t.enqueue(other)
		t.claimOne(other.ID)
		t.node = "node-b"
		c := t.claimAs(9, "x", "render", "y")
		t.want("claims of who can", c, []persistence.Claim{{ID: e.ID, Life: e.Life, Token: l.Token + 1, Crashes: 3, Envelope: e.Envelope}})
		t.wantDepth(0, 2, 0, 0)
		t.wantParked(nil)
		t.want("claims again", t.claimAs(9, "render"), []persistence.Claim(nil))
		t.end(c[0], persistence.Return, time.Time{})
		t.claimOne(e.ID) // anybody can try again
	}},
	{"what is parked comes before all else, smallest priority first, then who was made first", func(t *inboxTest) {
		var sleepers, order []persistence.Entry
		for p := range job.MaxPriority + 1 {
			some := t.entries(8, p)
			slices.SortFunc(some, func(a, b persistence.Entry) int { return a.ID.Compare(b.ID) })
			order = append(order, some...)
		}
		sleepers = slices.Clone(order)
		t.rng.Shuffle(len(sleepers), func(i, k int) { sleepers[i], sleepers[k] = sleepers[k], sleepers[i] })
		t.enqueue(sleepers...)
		claims := t.claim(len(sleepers))
		t.rng.Shuffle(len(claims), func(i, k int) { claims[i], claims[k] = claims[k], claims[i] })
		for part := range slices.Chunk(claims, 5) {
			t.park("render", part...)
		}
		urgent, late := t.entry(0), t.entry(3)
		t.enqueue(late, urgent)
		var got []job.ID
		for _, max := range []int{1, 5, 3, 100} {
			got = append(got, claimIDs(t.claimAs(max, "render"))...)
		}
		t.want("order", got, entryIDs(append(order, urgent, late)...))
	}},
	{"names are kept apart, and one node takes those it can", func(t *inboxTest) {
		names := []string{"a", "a.b", "a-b", "a_b", "A", "ab", "b", strings.Repeat("z", job.MaxName)}
		want := make(map[string]int64)
		ids := make(map[string]job.ID)
		for _, name := range names {
			e := t.entry(2)
			t.parked(e, name)
			want[name], ids[name] = 1, e.ID
		}
		t.wantParked(want)
		t.wantDepth(int64(len(names)), 0, 0, 0)
		for len(names) > 0 {
			pair := names[:min(2, len(names))]
			names = names[len(pair):]
			var expected []job.ID
			for _, name := range pair {
				expected = append(expected, ids[name])
				delete(want, name)
			}
			if len(want) == 0 {
				want = nil
			}
			t.want("claimed", sortedIDs(claimIDs(t.claimAs(9, slices.Concat(pair, []string{pair[0], "unused"})...))), sortedIDs(expected))
			t.wantParked(want)
		}
	}},
	{"parking again keeps the place and spends nothing", func(t *inboxTest) {
		e := t.entry(0)
		t.parked(e, "render")
		for n := range int64(3) {
			c := t.claimAs(1, "render")
			t.want("claim", c, []persistence.Claim{{ID: e.ID, Life: 1, Token: 2 + n, Envelope: e.Envelope}})
			t.park("render", c...)
			t.wantParked(map[string]int64{"render": 1})
		}
	}},
	{"a parked job is known, and enqueuing or restoring it leaves it", func(t *inboxTest) {
		e, later := t.entry(1), t.entry(1)
		t.parked(e, "render")
		t.want("known", t.known(e.ID), []bool{true})
		t.enqueue(e)
		back, err := t.in.Restore(t.ctx, t.queue, t.node, []persistence.Entry{e}, long)
		t.check(err)
		t.want("restored", back, []bool{false})
		t.check(t.in.Hasten(t.ctx, t.queue, map[job.ID]int64{e.ID: 9}))
		t.want("claims", t.claim(9), []persistence.Claim(nil))
		t.wantParked(map[string]int64{"render": 1})
		t.enqueue(later)
		t.claimOne(later.ID)
		t.want("claim", t.claimAs(9, "render"), []persistence.Claim{{ID: e.ID, Life: 1, Token: 2, Envelope: e.Envelope}})
	}},
	{"removing a parked job leaves nothing of it", func(t *inboxTest) {
		e, kept := t.entry(1), t.entry(1)
		t.parked(e, "render")
		t.parked(kept, "cut")
		t.check(t.in.Remove(t.ctx, t.queue, entryIDs(e)))
		t.want("known", t.known(e.ID), []bool{false})
		t.wantParked(map[string]int64{"cut": 1})
		t.wantDepth(1, 0, 0, 0)
		t.want("claims", t.claimAs(9, "render"), []persistence.Claim(nil))
		t.enqueue(e)
		t.claimOne(e.ID)
		t.check(t.in.Remove(t.ctx, t.queue, entryIDs(kept)))
		t.wantParked(nil)
		t.wantDepth(0, 1, 0, 0)
	}},
	{"word to cancel reaches who takes a parked job", func(t *inboxTest) {
		e := t.entry(1)
		t.parked(e, "render")
		t.check(t.in.RequestCancel(t.ctx, t.queue, e.ID))
		c := t.claimAs(1, "render")
		t.want("claim", c, []persistence.Claim{{ID: e.ID, Life: 1, Token: 2, CancelRequested: true, Envelope: e.Envelope}})
		t.end(c[0], persistence.Ack, time.Time{})
		t.wantDepth(0, 0, 0, 0)
	}},
	{"a later life of a parked job is anybody's", func(t *inboxTest) {
		now, later := t.entry(1), t.entry(1)
		for _, e := range []persistence.Entry{now, later} {
			t.parked(e, "render")
		}
		now.Life, now.Token, now.Envelope = 2, 5, []byte("second life")
		later.Life, later.RunAt = 2, time.Now().Add(long)
		t.enqueue(now, later)
		t.wantParked(nil)
		t.wantDepth(1, 0, 1, 0)
		t.want("claim", t.claimAs(9, "render"), []persistence.Claim{{ID: now.ID, Life: 2, Token: 6, Envelope: now.Envelope}})
	}},
	{"the oldest is found also among what is parked", func(t *inboxTest) {
		old, young := t.entry(3), t.entry(0)
		old.ID = NewID(t.rng, time.Now().Add(-long))
		t.parked(old, "render")
		t.want("oldest", t.depth().Oldest.UTC(), old.ID.Time())
		t.enqueue(young)
		t.want("oldest", t.depth().Oldest.UTC(), old.ID.Time())
		t.claimAs(1, "render")
		t.want("oldest", t.depth().Oldest.UTC(), young.ID.Time())
	}},
	{"jobs are parked under so many names and are delayed under one more", func(t *inboxTest) {
		const over = 3
		t.enqueue(t.entries(persistence.MaxParked+over+2, 1)...)
		claims := t.claim(persistence.MaxParked + over + 2)
		settlements := make([]persistence.Settlement, persistence.MaxParked+over)
		for i := range settlements {
			settlements[i] = persistence.Settlement{Lease: t.lease(claims[i]), Verb: persistence.Park, For: fmt.Sprint("kind", i)}
		}
		if slices.Contains(t.settle(settlements...), false) {
			t.Error("not all were held")
		}
		t.wantDepth(persistence.MaxParked, 2, over, 0)
		t.want("names", len(t.depth().Parked), persistence.MaxParked)
		_, next, err := t.in.Due(t.ctx, t.queue, 1)
		t.check(err)
		if in := time.Until(next); in < 0 || in > persistence.ParkDelay+clockGrain {
			t.Errorf("they are due in %s, not within %s", in, persistence.ParkDelay)
		}
		rest := claims[len(settlements):]
		t.park("kind0", rest[0]) // a name that is there
		t.want("names", len(t.depth().Parked), persistence.MaxParked)
		t.want("claimed", len(t.claimAs(9, "kind1")), 1)
		t.park("new", rest[1]) // in its place
		t.wantDepth(persistence.MaxParked+1, 1, over, 0)
	}},
	{"who parks for nobody that can be named is refused", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		c := t.claimOne(e.ID)
		for _, name := range []string{"", "a|b", "-a", "a b", strings.Repeat("z", job.MaxName+1)} {
			_, err := t.in.Settle(t.ctx, t.queue, []persistence.Settlement{{Lease: t.lease(c), Verb: persistence.Park, For: name}})
			if !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("parked for %q: %v, want ErrInvalid", name, err)
			}
		}
		t.wantLease(persistence.Held, t.lease(c))
	}},
}
