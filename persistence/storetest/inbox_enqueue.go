package storetest

import (
	"bytes"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var enqueueCases = []inboxCase{
	{"an accepted job is claimed as it was given", func(t *inboxTest) {
		binary := make([]byte, 256)
		for i := range binary {
			binary[i] = byte(i)
		}
		for _, envelope := range [][]byte{[]byte(`{"a":1}`), binary, bytes.Repeat([]byte("🎬"), 100<<10), []byte("\r\n"), []byte(`"\u0000"`)} {
			e := t.entry(2)
			e.Envelope, e.Token, e.Crashes = envelope, 41, 2
			t.enqueue(e)
			c := t.claimOne(e.ID)
			t.want("claim", c, persistence.Claim{ID: e.ID, Life: e.Life, Token: 42, Crashes: 2, Envelope: envelope})
		}
	}},
	{"a job due later is delayed, one due in the past waits", func(t *inboxTest) {
		later, past := t.entry(1), t.entry(1)
		later.RunAt, past.RunAt = time.Now().Add(long), time.Now().Add(-long)
		t.enqueue(later, past)
		t.wantDepth(1, 0, 1, 0)
		t.claimOne(past.ID)
		t.want("second claim", t.claim(1), []persistence.Claim(nil))
	}},
	{"an entry known in the same or a later life is left as it is", func(t *inboxTest) {
		e := t.entry(1)
		e.Life = 2
		t.enqueue(e)
		changed := e
		changed.Priority, changed.Token, changed.Crashes, changed.Envelope = 0, 90, 9, []byte(`"other"`)
		earlier := changed
		earlier.Life = 1
		t.enqueue(changed)
		t.enqueue(earlier)
		t.wantDepth(1, 0, 0, 0)
		c := t.claimOne(e.ID)
		t.want("claim", c, persistence.Claim{ID: e.ID, Life: e.Life, Token: 1, Envelope: e.Envelope})
		t.enqueue(changed) // leased now
		t.wantLease(persistence.Held, t.lease(c))
		t.end(c, persistence.Delay, time.Now().Add(long))
		t.enqueue(changed) // delayed now
		t.wantDepth(0, 0, 1, 0)
	}},
	{"an entry of a later life replaces the earlier, wherever that is", func(t *inboxTest) {
		waiting, leased, delayed := t.entry(2), t.entry(0), t.entry(1)
		delayed.RunAt = time.Now().Add(long)
		t.enqueue(waiting, leased, delayed)
		held := t.claimOne(leased.ID)
		t.check(t.in.RequestCancel(t.ctx, t.queue, waiting.ID))
		for _, e := range []persistence.Entry{waiting, leased, delayed} {
			e.Life, e.Token, e.Priority, e.RunAt, e.Envelope = 2, 10, 3, time.Time{}, []byte(`"second life"`)
			t.enqueue(e)
		}
		t.wantDepth(3, 0, 0, 0)
		t.wantLease(persistence.Lost, t.lease(held))
		for _, e := range []persistence.Entry{waiting, leased, delayed} {
			t.want("claim", t.claimOne(e.ID), persistence.Claim{ID: e.ID, Life: 2, Token: 11, Envelope: []byte(`"second life"`)})
		}
		t.wantDepth(0, 3, 0, 0)
	}},
	{"what the inbox has forgotten it takes as new", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		t.end(t.claimOne(e.ID), persistence.Ack, time.Time{})
		e.Token = 7
		t.enqueue(e)
		t.want("token", t.claimOne(e.ID).Token, int64(8))
	}},
	{"a batch of none is taken and one over the bound is refused whole", func(t *inboxTest) {
		t.want("answers", t.offer(), []persistence.Enqueued(nil))
		if _, err := t.in.Enqueue(t.ctx, t.queue, t.entries(persistence.MaxBatch+1, 1)); err == nil {
			t.Errorf("%d entries were taken, the bound is %d", persistence.MaxBatch+1, persistence.MaxBatch)
		}
		t.wantDepth(0, 0, 0, 0)
	}},
	{"batches of the bound go through every step", func(t *inboxTest) {
		n := persistence.MaxBatch
		entries := t.entries(n, 1)
		t.enqueue(entries...)
		claims := t.claimFor(n, short)
		t.want("claims", claimIDs(claims), entryIDs(entries...))
		t.want("reaped", sortedIDs(t.reap(n)), sortedIDs(entryIDs(entries...)))
		t.wantDepth(int64(n), 0, 0, 0)
		claims = t.claim(n)
		leases := make([]persistence.Lease, n)
		settlements := make([]persistence.Settlement, n)
		for i, c := range claims {
			leases[i] = t.lease(c)
			settlements[i] = persistence.Settlement{Lease: leases[i], Verb: persistence.Delay, RunAt: time.Now().Add(long)}
		}
		for i, r := range t.renew(leases...) {
			if r.State != persistence.Held {
				t.Fatalf("lease %d of %d: state %d", i, n, r.State)
			}
		}
		for i, done := range t.settle(settlements...) {
			if !done {
				t.Fatalf("settlement %d of %d: not held", i, n)
			}
		}
		t.wantDepth(0, 0, int64(n), 0)
		tokens := make(map[job.ID]int64, n)
		for _, e := range entries {
			tokens[e.ID] = 50
		}
		t.check(t.in.Hasten(t.ctx, t.queue, tokens))
		t.wantDepth(int64(n), 0, 0, 0)
		for _, known := range t.known(entryIDs(entries...)...) {
			if !known {
				t.Fatal("a job of the batch is not known")
			}
		}
		t.check(t.in.Remove(t.ctx, t.queue, entryIDs(entries...)))
		t.wantDepth(0, 0, 0, 0)
		restored, err := t.in.Restore(t.ctx, t.queue, t.node, entries, long)
		t.check(err)
		for i, back := range restored {
			if !back {
				t.Fatalf("entry %d of %d was not restored", i, n)
			}
		}
		t.wantDepth(0, int64(n), 0, 0)
	}},
	{"queues know nothing of each other", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		other := *t
		other.queue = "films.2"
		other.wantDepth(0, 0, 0, 0)
		t.want("claims", other.claim(5), []persistence.Claim(nil))
		t.want("known", other.known(e.ID), []bool{false})
		t.check(t.in.Remove(t.ctx, other.queue, entryIDs(e)))
		t.claimOne(e.ID)
	}},
}
