package storetest

import (
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var settleCases = []inboxCase{
	{"ack forgets the job", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		c := t.claimOne(e.ID)
		t.end(c, persistence.Ack, time.Time{})
		t.want("known", t.known(e.ID), []bool{false})
		t.wantDepth(0, 0, 0, 0)
		t.wantLease(persistence.Forgotten, t.lease(c))
	}},
	{"dead forgets the job and lists its id, until it is removed", func(t *inboxTest) {
		e, other := t.entry(1), t.entry(1)
		t.enqueue(e, other)
		c := t.claim(2)
		began := time.Now()
		t.end(c[0], persistence.Dead, time.Time{})
		t.end(c[1], persistence.Dead, time.Time{})
		if at := t.depth().OldestDead; at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("the oldest dead letter became one at %v, not between %v and now", at, began)
		}
		t.want("known", t.known(e.ID), []bool{false})
		t.wantDepth(0, 0, 0, 2)
		t.check(t.in.Remove(t.ctx, t.queue, entryIDs(e)))
		t.wantDepth(0, 0, 0, 1)
	}},
	{"delay keeps the job until it is due", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		c := t.claimOne(e.ID)
		t.end(c, persistence.Delay, time.Now().Add(long))
		t.wantDepth(0, 0, 1, 0)
		t.want("claims", t.claim(1), []persistence.Claim(nil))
		t.wantLease(persistence.Lost, t.lease(c))
	}},
	{"return puts the job in front of its priority", func(t *inboxTest) {
		first, second, urgent := t.entry(1), t.entry(1), t.entry(0)
		t.enqueue(first, second)
		t.end(t.claimOne(first.ID), persistence.Return, time.Time{})
		t.enqueue(urgent)
		t.wantDepth(3, 0, 0, 0)
		t.claimOne(urgent.ID)
		t.want("crashes", t.claimOne(first.ID).Crashes, 0)
		t.claimOne(second.ID)
	}},
	{"settlements of one call are answered in order, and each does its own", func(t *inboxTest) {
		entries := t.entries(4, 1)
		t.enqueue(entries...)
		c := t.claim(4)
		lost := t.lease(c[0])
		lost.Token++
		done := t.settle(
			persistence.Settlement{Lease: lost, Verb: persistence.Ack},
			persistence.Settlement{Lease: t.lease(c[1]), Verb: persistence.Dead},
			persistence.Settlement{Lease: t.lease(c[2]), Verb: persistence.Delay, RunAt: time.Now().Add(long)},
			persistence.Settlement{Lease: t.lease(c[3]), Verb: persistence.Return},
		)
		t.want("answers", done, []bool{false, true, true, true})
		t.wantDepth(1, 1, 1, 1)
		t.wantLease(persistence.Held, t.lease(c[0]))
		t.want("settling none", t.settle(), []bool(nil))
	}},
	{"a stale settlement changes nothing", func(t *inboxTest) {
		for _, verb := range []persistence.Verb{persistence.Ack, persistence.Dead, persistence.Delay, persistence.Return, persistence.Park} {
			e := t.entry(1)
			t.enqueue(e)
			late := t.claimFor(1, short)[0]
			t.reap(1)
			stale := func(where string, leases ...persistence.Lease) {
				t.Helper()
				before := t.depth()
				for _, l := range leases {
					s := persistence.Settlement{Lease: l, Verb: verb, RunAt: time.Now().Add(long), For: "cut"}
					if t.settle(s)[0] {
						t.Errorf("verb %d of a stale lease on a job that is %s was answered true", verb, where)
					}
				}
				t.want("depth after a stale settlement of a job that is "+where, t.depth(), before)
			}
			stale("waiting", t.lease(late))
			holder := t.claimOne(e.ID)
			otherNode := t.lease(holder)
			otherNode.Node = "node-b"
			stale("leased", t.lease(late), otherNode)
			t.wantLease(persistence.Held, t.lease(holder))
			t.end(holder, persistence.Delay, time.Now().Add(long))
			stale("delayed", t.lease(late), t.lease(holder))
			t.check(t.in.Remove(t.ctx, t.queue, entryIDs(e)))
			stale("forgotten", t.lease(late), t.lease(holder))
		}
	}},
	{"a settlement that is repeated changes nothing", func(t *inboxTest) {
		for _, verb := range []persistence.Verb{persistence.Ack, persistence.Dead, persistence.Delay, persistence.Return, persistence.Park} {
			e := t.entry(0)
			t.enqueue(e)
			s := persistence.Settlement{Lease: t.lease(t.claimOne(e.ID)), Verb: verb, RunAt: time.Now().Add(long), For: "cut"}
			t.want("first", t.settle(s), []bool{true})
			before := t.depth()
			t.want("second", t.settle(s), []bool{false})
			t.want("depth", t.depth(), before)
			t.check(t.in.Remove(t.ctx, t.queue, entryIDs(e)))
		}
	}},
}
