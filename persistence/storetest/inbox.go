package storetest

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Inbox runs the suite on the inboxes that open gives: each empty, and closed by the test's cleanup.
func Inbox(t *testing.T, open func(t *testing.T) persistence.Inbox, options ...InboxOption) {
	var o inboxOptions
	for _, option := range options {
		option(&o)
	}
	for _, part := range [][]inboxCase{enqueueCases, keyCases, claimCases, leaseCases, settleCases, parkCases, limitCases, holderCases, dueCases, otherCases} {
		for _, c := range part {
			t.Run(c.name, func(t *testing.T) { c.run(newInboxTest(t, open(t))) })
		}
	}
	if o.peer != nil {
		t.Run("two handles share one inbox", func(t *testing.T) {
			in := open(t)
			sharedInbox(newInboxTest(t, in), o.peer(t, in))
		})
	}
	if o.lose != nil {
		t.Run("after a loss the generation is another and restore puts leases back", func(t *testing.T) {
			in := open(t)
			lossyInbox(newInboxTest(t, in), func() { o.lose(t, in) })
		})
	}
	t.Run("random commands do what the model does", func(t *testing.T) { inboxAgainstModel(t, open(t)) })
}

// InboxOption tells the suite what else a driver can show.
type InboxOption func(*inboxOptions)

type inboxOptions struct {
	peer func(t *testing.T, in persistence.Inbox) persistence.Inbox
	lose func(t *testing.T, in persistence.Inbox)
}

// InboxPeer opens another handle on an inbox's data, as another node would.
func InboxPeer(open func(t *testing.T, in persistence.Inbox) persistence.Inbox) InboxOption {
	return func(o *inboxOptions) { o.peer = open }
}

// InboxLoss makes an inbox lose all of its data.
func InboxLoss(lose func(t *testing.T, in persistence.Inbox)) InboxOption {
	return func(o *inboxOptions) { o.lose = lose }
}

type inboxCase struct {
	name string
	run  func(*inboxTest)
}

// inboxTest is one subtest's hold on an inbox: its methods fail the test on any error.
type inboxTest struct {
	*testing.T
	ctx   context.Context
	in    persistence.Inbox
	rng   *rand.Rand
	queue string
	node  string
}

func newInboxTest(t *testing.T, in persistence.Inbox) *inboxTest {
	return &inboxTest{T: t, ctx: testContext(t), in: in, rng: Random(t), queue: "films", node: "node-a"}
}

// entry makes a new job's entry at the given priority.
func (t *inboxTest) entry(priority int) persistence.Entry {
	return persistence.Entry{ID: NewID(t.rng, time.Now()), Life: 1, Priority: priority, Envelope: []byte(RandomJSON(t.rng))}
}

// entries makes n of one priority.
func (t *inboxTest) entries(n, priority int) []persistence.Entry {
	made := make([]persistence.Entry, n)
	for i := range made {
		made[i] = t.entry(priority)
	}
	return made
}

func (t *inboxTest) check(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// enqueue wants all of them accepted.
func (t *inboxTest) enqueue(entries ...persistence.Entry) {
	t.Helper()
	for i, answer := range t.offer(entries...) {
		if !answer.Accepted {
			t.Fatalf("entry %d of %d was not accepted", i, len(entries))
		}
	}
}

func (t *inboxTest) offer(entries ...persistence.Entry) []persistence.Enqueued {
	t.Helper()
	answers, err := t.in.Enqueue(t.ctx, t.queue, entries)
	t.check(err)
	if len(answers) != len(entries) {
		t.Fatalf("%d answers to %d entries", len(answers), len(entries))
	}
	return answers
}

func (t *inboxTest) claim(max int) []persistence.Claim { t.Helper(); return t.claimFor(max, long) }

func (t *inboxTest) claimFor(max int, lease time.Duration) []persistence.Claim {
	t.Helper()
	return t.ask(persistence.Ask{Max: max, Lease: lease})
}

func (t *inboxTest) ask(ask persistence.Ask) []persistence.Claim {
	t.Helper()
	claims, err := t.in.Claim(t.ctx, t.queue, t.node, ask)
	t.check(err)
	return claims
}

// claimOne wants exactly the job of the id to be given.
func (t *inboxTest) claimOne(id job.ID) persistence.Claim {
	t.Helper()
	claims := t.claim(1)
	if len(claims) != 1 || claims[0].ID != id {
		t.Fatalf("claimed %v, want job %s", claimIDs(claims), id)
	}
	return claims[0]
}

func (t *inboxTest) lease(c persistence.Claim) persistence.Lease {
	return persistence.Lease{ID: c.ID, Token: c.Token, Node: t.node}
}

func (t *inboxTest) settle(settlements ...persistence.Settlement) []bool {
	t.Helper()
	done, err := t.in.Settle(t.ctx, t.queue, settlements)
	t.check(err)
	if len(done) != len(settlements) {
		t.Fatalf("%d answers to %d settlements", len(done), len(settlements))
	}
	return done
}

// end settles one claim and wants it held.
func (t *inboxTest) end(c persistence.Claim, verb persistence.Verb, runAt time.Time) {
	t.Helper()
	if done := t.settle(persistence.Settlement{Lease: t.lease(c), Verb: verb, RunAt: runAt}); !done[0] {
		t.Fatalf("job %s was not held under its lease", c.ID)
	}
}

func (t *inboxTest) renew(leases ...persistence.Lease) []persistence.Renewal {
	t.Helper()
	renewals, err := t.in.Renew(t.ctx, t.queue, leases, long)
	t.check(err)
	if len(renewals) != len(leases) {
		t.Fatalf("%d answers to %d leases", len(renewals), len(leases))
	}
	return renewals
}

func (t *inboxTest) wantLease(want persistence.LeaseState, l persistence.Lease) {
	t.Helper()
	if got := t.renew(l)[0].State; got != want {
		t.Errorf("renewing %s under token %d of %s: state %d, want %d", l.ID, l.Token, l.Node, got, want)
	}
}

// reap asks until n jobs were reaped.
func (t *inboxTest) reap(n int) []job.ID {
	t.Helper()
	var all []job.ID
	eventually(t, "leases of a millisecond are reaped", func() bool {
		ids, err := t.in.Reap(t.ctx, t.queue, n-len(all))
		t.check(err)
		all = append(all, ids...)
		return len(all) >= n
	})
	return all
}

func (t *inboxTest) depth() persistence.Depth {
	t.Helper()
	d, err := t.in.Depth(t.ctx, t.queue)
	t.check(err)
	return d
}

func (t *inboxTest) wantDepth(waiting, leased, delayed, dead int64) {
	t.Helper()
	d := t.depth()
	want := persistence.Depth{Waiting: waiting, Leased: leased, Delayed: delayed, Dead: dead, Parked: d.Parked, Oldest: d.Oldest, OldestDead: d.OldestDead}
	t.want("depth", d, want)
	if (waiting == 0) != d.Oldest.IsZero() {
		t.Errorf("with %d waiting the oldest is of %v", waiting, d.Oldest)
	}
	if (dead == 0) != d.OldestDead.IsZero() {
		t.Errorf("with %d dead letters the oldest is of %v", dead, d.OldestDead)
	}
}

func (t *inboxTest) known(ids ...job.ID) []bool {
	t.Helper()
	known, err := t.in.Known(t.ctx, t.queue, ids)
	t.check(err)
	if len(known) != len(ids) {
		t.Fatalf("%d answers to %d ids", len(known), len(ids))
	}
	return known
}

func (t *inboxTest) want(what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameBytes); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func claimIDs(claims []persistence.Claim) []job.ID {
	ids := make([]job.ID, len(claims))
	for i, c := range claims {
		ids[i] = c.ID
	}
	return ids
}

func entryIDs(entries ...persistence.Entry) []job.ID {
	ids := make([]job.ID, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	return ids
}

func sortedIDs(ids []job.ID) []job.ID { return slices.SortedFunc(slices.Values(ids), job.ID.Compare) }
