package storetest

import (
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var leaseCases = []inboxCase{
	{"renewing says held, lost or forgotten, in order", func(t *inboxTest) {
		held, back, later, over := t.entry(0), t.entry(1), t.entry(2), t.entry(3)
		t.enqueue(held, back, later, over)
		c := t.claim(4)
		t.end(c[1], persistence.Return, time.Time{})
		t.end(c[2], persistence.Delay, time.Now().Add(long))
		t.end(c[3], persistence.Ack, time.Time{})
		stale, other, never := t.lease(c[0]), t.lease(c[0]), t.lease(c[0])
		stale.Token--
		other.Node = "node-b"
		never.ID = NewID(t.rng, time.Now())
		var got []persistence.LeaseState
		for _, r := range t.renew(t.lease(c[3]), t.lease(c[0]), stale, t.lease(c[1]), other, t.lease(c[2]), never) {
			got = append(got, r.State)
		}
		const h, l, f = persistence.Held, persistence.Lost, persistence.Forgotten
		t.want("states", got, []persistence.LeaseState{f, h, l, l, l, l, f})
		t.want("renewing none", t.renew(), []persistence.Renewal(nil))
	}},
	{"who claims a reaped job has it, and its last holder has lost it", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		first := t.claimFor(1, short)[0]
		t.reap(1)
		t.wantLease(persistence.Lost, t.lease(first))
		second := t.claimOne(e.ID) // by the same node
		t.wantLease(persistence.Lost, t.lease(first))
		t.wantLease(persistence.Held, t.lease(second))
	}},
	{"only ended leases are reaped, to the front, with the crash counted", func(t *inboxTest) {
		ended, running, behind := t.entry(1), t.entry(1), t.entry(1)
		ended.Crashes = 4
		t.enqueue(ended)
		t.claimFor(1, short)
		t.enqueue(running)
		held := t.claimOne(running.ID)
		t.enqueue(behind)
		t.want("reaped", t.reap(1), entryIDs(ended))
		again, err := t.in.Reap(t.ctx, t.queue, 10)
		t.check(err)
		t.want("reaped again", again, []job.ID(nil))
		t.wantDepth(2, 1, 0, 0)
		c := t.claimOne(ended.ID)
		t.want("claim", c, persistence.Claim{ID: ended.ID, Life: ended.Life, Token: 2, Crashes: 5, Envelope: ended.Envelope})
		t.wantLease(persistence.Held, t.lease(held))
	}},
	{"at most as many are reaped as was asked", func(t *inboxTest) {
		t.enqueue(t.entries(5, 1)...)
		t.claimFor(5, short)
		for total := 0; total < 5; {
			ids, err := t.in.Reap(t.ctx, t.queue, 2)
			t.check(err)
			if total += len(ids); len(ids) > 2 {
				t.Fatalf("%d were reaped, asked for 2", len(ids))
			}
			t.wantDepth(int64(total), int64(5-total), 0, 0)
		}
	}},
	{"a renewed lease is not reaped", func(t *inboxTest) {
		kept, lost := t.entry(1), t.entry(1)
		t.enqueue(kept, lost)
		claims := t.claimFor(2, short)
		t.wantLease(persistence.Held, t.lease(claims[0])) // ended perhaps, but nobody took it
		t.want("reaped", t.reap(1), entryIDs(lost))
		t.wantDepth(1, 1, 0, 0)
	}},
	{"a lease that ended but was not reaped can still be settled", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		c := t.claimFor(1, short)[0]
		t.end(c, persistence.Ack, time.Time{})
		ids, err := t.in.Reap(t.ctx, t.queue, 10)
		t.check(err)
		t.want("reaped", ids, []job.ID(nil))
		t.want("known", t.known(e.ID), []bool{false})
	}},
	{"restoring puts back what is forgotten, and nothing else", func(t *inboxTest) {
		waiting, forgotten := t.entry(1), t.entry(1)
		t.enqueue(waiting)
		forgotten.Token, forgotten.Crashes, forgotten.Life = 9, 2, 3
		back, err := t.in.Restore(t.ctx, t.queue, t.node, []persistence.Entry{waiting, forgotten}, long)
		t.check(err)
		t.want("restored", back, []bool{false, true})
		t.wantDepth(1, 1, 0, 0)
		lease := persistence.Lease{ID: forgotten.ID, Token: 9, Node: t.node}
		t.wantLease(persistence.Held, lease)
		back, err = t.in.Restore(t.ctx, t.queue, "node-b", []persistence.Entry{forgotten}, long)
		t.check(err)
		t.want("restored again", back, []bool{false})
		t.wantLease(persistence.Held, lease)
		t.want("settled", t.settle(persistence.Settlement{Lease: lease, Verb: persistence.Return}), []bool{true})
		t.want("claim", t.claimOne(forgotten.ID), persistence.Claim{ID: forgotten.ID, Life: forgotten.Life, Token: 10, Crashes: 2, Envelope: forgotten.Envelope})
		back, err = t.in.Restore(t.ctx, t.queue, t.node, nil, long)
		t.check(err)
		t.want("restoring none", back, []bool(nil))
	}},
	{"a job that was removed, restored and returned stands in front", func(t *inboxTest) {
		first, e := t.entry(1), t.entry(1)
		t.enqueue(first, e)
		t.check(t.in.Remove(t.ctx, t.queue, entryIDs(e)))
		_, err := t.in.Restore(t.ctx, t.queue, t.node, []persistence.Entry{e}, long)
		t.check(err)
		t.want("settled", t.settle(persistence.Settlement{Lease: persistence.Lease{ID: e.ID, Node: t.node}, Verb: persistence.Return}), []bool{true})
		t.claimOne(e.ID)
		t.claimOne(first.ID)
		t.want("claims", t.claim(1), []persistence.Claim(nil))
	}},
	{"a restored lease ends as any other", func(t *inboxTest) {
		e := t.entry(1)
		e.Token, e.Crashes = 9, 2
		_, err := t.in.Restore(t.ctx, t.queue, t.node, []persistence.Entry{e}, short)
		t.check(err)
		t.want("reaped", t.reap(1), entryIDs(e))
		t.want("claim", t.claimOne(e.ID), persistence.Claim{ID: e.ID, Life: e.Life, Token: 10, Crashes: 3, Envelope: e.Envelope})
	}},
}
