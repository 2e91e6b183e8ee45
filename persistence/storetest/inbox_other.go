package storetest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var otherCases = []inboxCase{
	{"removing forgets what waits or is delayed and leaves what is leased", func(t *inboxTest) {
		leased, waiting, delayed, kept := t.entry(0), t.entry(1), t.entry(1), t.entry(1)
		delayed.RunAt = time.Now().Add(long)
		t.enqueue(leased, waiting, delayed, kept)
		c := t.claimOne(leased.ID)
		t.check(t.in.Remove(t.ctx, t.queue, append(entryIDs(leased, waiting, delayed), NewID(t.rng, time.Now()))))
		t.want("known", t.known(entryIDs(leased, waiting, delayed, kept)...), []bool{true, false, false, true})
		t.wantDepth(1, 1, 0, 0)
		t.wantLease(persistence.Held, t.lease(c))
		t.claimOne(kept.ID)
		t.check(t.in.Remove(t.ctx, t.queue, nil))
	}},
	{"word to cancel reaches the holder by renewing", func(t *inboxTest) {
		e, other := t.entry(1), t.entry(1)
		t.enqueue(e, other)
		c := t.claim(2)
		t.check(t.in.RequestCancel(t.ctx, t.queue, e.ID))
		for range 2 { // it stays
			t.want("renewals", t.renew(t.lease(c[0]), t.lease(c[1])),
				[]persistence.Renewal{{State: persistence.Held, CancelRequested: true}, {State: persistence.Held}})
		}
	}},
	{"word to cancel reaches whoever claims the job next", func(t *inboxTest) {
		waiting, delayed, crashed := t.entry(0), t.entry(1), t.entry(2)
		delayed.RunAt = time.Now().Add(long)
		t.enqueue(crashed)
		t.claimFor(1, short)
		t.enqueue(waiting, delayed)
		for _, e := range []persistence.Entry{waiting, delayed, crashed} {
			t.check(t.in.RequestCancel(t.ctx, t.queue, e.ID))
		}
		t.check(t.in.Hasten(t.ctx, t.queue, map[job.ID]int64{delayed.ID: 0}))
		t.reap(1)
		for _, e := range []persistence.Entry{waiting, delayed, crashed} {
			t.want("cancel requested", t.claimOne(e.ID).CancelRequested, true)
		}
	}},
	{"word to cancel an unknown job is no error", func(t *inboxTest) {
		t.check(t.in.RequestCancel(t.ctx, t.queue, NewID(t.rng, time.Now())))
		t.wantDepth(0, 0, 0, 0)
	}},
	{"known answers in order", func(t *inboxTest) {
		a, b := t.entry(1), t.entry(1)
		b.RunAt = time.Now().Add(long)
		t.enqueue(a, b)
		unknown := NewID(t.rng, time.Now())
		t.want("known", t.known(unknown, b.ID, unknown, a.ID), []bool{false, true, false, true})
		t.want("none", t.known(), []bool(nil))
	}},
	{"the oldest is the head of any priority", func(t *inboxTest) {
		old, young := t.entry(3), t.entry(0)
		old.ID = NewID(t.rng, time.Now().Add(-long))
		t.enqueue(young)
		t.want("oldest", t.depth().Oldest.UTC(), young.ID.Time())
		t.enqueue(old)
		t.want("oldest", t.depth().Oldest.UTC(), old.ID.Time())
		t.claimOne(young.ID)
		t.want("oldest", t.depth().Oldest.UTC(), old.ID.Time())
		t.claimOne(old.ID)
		t.want("oldest", t.depth().Oldest.IsZero(), true)
	}},
	{"the generation stays while nothing is lost", func(t *inboxTest) {
		before := t.generation(t.in)
		if before == "" {
			t.Error("the generation has no name")
		}
		e := t.entry(1)
		t.enqueue(e)
		t.end(t.claimOne(e.ID), persistence.Ack, time.Time{}) // empty, but by order
		t.want("generation", t.generation(t.in), before)
	}},
	{"watching wakes when something can be claimed", func(t *inboxTest) {
		var wakes, others atomic.Int64
		stop := watching(t.T, t.ctx, "Watch", func(ctx context.Context) error {
			return t.in.Watch(ctx, func(queue string) {
				if queue == t.queue {
					wakes.Add(1)
				} else {
					others.Add(1)
				}
			})
		})
		woken := func(by string, act func()) {
			t.Helper()
			before := wakes.Load()
			eventually(t, "woken by "+by, func() bool { act(); return wakes.Load() > before })
		}
		var e persistence.Entry
		woken("an enqueue", func() { e = t.entry(0); t.enqueue(e) })
		woken("a return", func() { t.end(t.claim(1)[0], persistence.Return, time.Time{}) })
		woken("a hastened job", func() {
			late := t.entry(1)
			late.RunAt = time.Now().Add(long)
			t.enqueue(late)
			t.check(t.in.Hasten(t.ctx, t.queue, map[job.ID]int64{late.ID: 0}))
		})
		stop()
		t.want("wakes of other queues", others.Load(), int64(0))
	}},
	{"ping answers", func(t *inboxTest) { t.check(t.in.Ping(t.ctx)) }},
	{"an ended context ends every method", func(t *inboxTest) {
		e := t.entry(1)
		t.enqueue(e)
		ctx, cancel := context.WithCancel(t.ctx)
		cancel()
		one := []persistence.Entry{t.entry(1)}
		lease := persistence.Lease{ID: e.ID, Token: 1, Node: t.node}
		_, err := t.in.Enqueue(ctx, t.queue, one)
		expectEnded(t.T, "Enqueue", err)
		_, err = t.in.Claim(ctx, t.queue, t.node, persistence.Ask{Max: 1, Lease: long})
		expectEnded(t.T, "Claim", err)
		_, err = t.in.Renew(ctx, t.queue, []persistence.Lease{lease}, long)
		expectEnded(t.T, "Renew", err)
		_, err = t.in.Settle(ctx, t.queue, []persistence.Settlement{{Lease: lease, Verb: persistence.Ack}})
		expectEnded(t.T, "Settle", err)
		_, err = t.in.Restore(ctx, t.queue, t.node, one, long)
		expectEnded(t.T, "Restore", err)
		_, err = t.in.Reap(ctx, t.queue, 1)
		expectEnded(t.T, "Reap", err)
		_, _, err = t.in.ReapHolder(ctx, t.queue, t.node, "", 1)
		expectEnded(t.T, "ReapHolder", err)
		_, _, err = t.in.Due(ctx, t.queue, 1)
		expectEnded(t.T, "Due", err)
		expectEnded(t.T, "Hasten", t.in.Hasten(ctx, t.queue, map[job.ID]int64{e.ID: 1}))
		expectEnded(t.T, "Remove", t.in.Remove(ctx, t.queue, entryIDs(e)))
		expectEnded(t.T, "RequestCancel", t.in.RequestCancel(ctx, t.queue, e.ID))
		_, err = t.in.Known(ctx, t.queue, entryIDs(e))
		expectEnded(t.T, "Known", err)
		_, err = t.in.Depth(ctx, t.queue)
		expectEnded(t.T, "Depth", err)
		expectEnded(t.T, "Ping", t.in.Ping(ctx))
		t.wantDepth(1, 0, 0, 0)
		t.claimOne(e.ID)
	}},
}

func (t *inboxTest) generation(in persistence.Inbox) string {
	t.Helper()
	g, err := in.Generation(t.ctx)
	t.check(err)
	return g
}

// sharedInbox is for drivers that can open one inbox twice, as two nodes do.
func sharedInbox(t *inboxTest, peer persistence.Inbox) {
	e := t.entry(1)
	t.enqueue(e)
	other := *t
	other.in, other.node = peer, "node-b"
	t.want("generation", t.generation(peer), t.generation(t.in))
	t.want("known", other.known(e.ID), []bool{true})
	c := other.claimOne(e.ID)
	t.wantLease(persistence.Lost, t.lease(c))
	other.wantLease(persistence.Held, other.lease(c))
	var woken atomic.Bool
	stop := watching(t.T, t.ctx, "Watch", func(ctx context.Context) error {
		return peer.Watch(ctx, func(string) { woken.Store(true) })
	})
	eventually(t, "the peer is woken by an enqueue", func() bool { t.enqueue(t.entry(1)); return woken.Load() })
	stop()
}

// lossyInbox is for drivers that can be made to lose their data.
func lossyInbox(t *inboxTest, lose func()) {
	held, waiting := t.entry(0), t.entry(1)
	t.enqueue(held, waiting)
	c := t.claimOne(held.ID)
	before := t.generation(t.in)
	lose()
	eventually(t, "the generation is another", func() bool {
		g, err := t.in.Generation(t.ctx) // it may be away for a moment
		return err == nil && g != before
	})
	after := t.generation(t.in)
	t.want("generation", t.generation(t.in), after)
	t.want("known", t.known(held.ID, waiting.ID), []bool{false, false})
	t.wantLease(persistence.Forgotten, t.lease(c))
	held.Token = c.Token
	back, err := t.in.Restore(t.ctx, t.queue, t.node, []persistence.Entry{held}, long)
	t.check(err)
	t.want("restored", back, []bool{true})
	t.wantLease(persistence.Held, t.lease(c))
	t.enqueue(held, waiting)
	t.wantDepth(1, 1, 0, 0)
	t.want("generation", t.generation(t.in), after)
}
