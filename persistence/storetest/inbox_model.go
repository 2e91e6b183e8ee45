package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// inboxAgainstModel drives an inbox and the model with the same random commands, each run in a queue of its own, and compares
// every answer and, after every command, the depth.
func inboxAgainstModel(t *testing.T, in persistence.Inbox) {
	ctx := testContext(t)
	runs := 0
	seen := make(tally)
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		seed := rapid.Uint64().Draw(rt, "seed")
		m := &inboxMachine{
			ctx: ctx, in: in, queue: fmt.Sprintf("model-%d", runs), model: newModel(), rng: rand.New(rand.NewPCG(seed, seed)), tainted: make(map[job.ID]bool), seen: seen,
		}
		rt.Repeat(map[string]func(*rapid.T){
			"":              m.compare,
			"enqueue":       m.enqueue,
			"enqueue again": m.enqueueAgain,
			"claim":         m.claim,
			"renew":         m.renew,
			"settle":        m.settle,
			"restore":       m.restore,
			"reap":          m.reap,
			"reap a holder": m.reapHolder,
			"hasten":        m.hasten,
			"remove":        m.remove,
			"cancel":        m.cancel,
			"known":         m.known,
		})
	})
	seen.check(t, "accepted", "refused by key", "claimed", "claimed after a crash", "told to cancel", "held", "lost", "forgotten", "settled", "not settled",
		"restored", "not restored", "reaped", "cut by the limit", "parked", "claimed from where it was parked", "reaped of a holder", "walked to the end", "came due", "removed")
}

type inboxMachine struct {
	ctx   context.Context
	in    persistence.Inbox
	queue string
	model *model
	rng   *rand.Rand // for what does not matter: ids and envelopes
	ids   []job.ID   // all ever made
	// tainted are jobs that were removed: whether their keys still bind is not said.
	tainted map[job.ID]bool
	seen    tally
	walk    *holderWalk
}

func same(t *rapid.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, sameBytes); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func ok(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}

var (
	nodes  = rapid.SampledFrom([]string{"node-a", "node-b"})
	verbs  = rapid.SampledFrom([]persistence.Verb{persistence.Ack, persistence.Dead, persistence.Delay, persistence.Return, persistence.Park})
	kinds  = rapid.SampledFrom([]string{"cut", "render", "render.hd"})
	leases = rapid.SampledFrom([]time.Duration{long, short})
)

func (m *inboxMachine) compare(t *rapid.T) {
	got, err := m.in.Depth(m.ctx, m.queue)
	ok(t, err)
	want := m.model.depth()
	if got.Oldest.IsZero() != (want.Waiting == 0) {
		t.Fatalf("with %d waiting the oldest is of %v", want.Waiting, got.Oldest)
	}
	want.Oldest, want.OldestDead = got.Oldest, got.OldestDead
	same(t, "depth", got, want)
}

// some draws up to n different ids of those ever made.
func (m *inboxMachine) some(t *rapid.T, n int) []job.ID {
	if len(m.ids) == 0 {
		t.Skip("no job yet")
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(m.ids), 1, min(n, len(m.ids)), rapid.ID[job.ID]).Draw(t, "ids")
}

// mostlyLeased draws as some, and mostly jobs that are leased.
func (m *inboxMachine) mostlyLeased(t *rapid.T, n int) []job.ID {
	held := m.model.ids(leased)
	if len(held) == 0 || rapid.IntRange(0, 3).Draw(t, "any") == 3 {
		return m.some(t, n)
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(held), 1, min(n, len(held)), rapid.ID[job.ID]).Draw(t, "leased ids")
}

func (m *inboxMachine) fresh(t *rapid.T) persistence.Entry {
	e := persistence.Entry{
		ID: NewID(m.rng, time.Now()), Life: rapid.IntRange(1, 3).Draw(t, "life"), Priority: rapid.IntRange(0, job.MaxPriority).Draw(t, "priority"),
		Token: rapid.Int64Range(0, 3).Draw(t, "token"), Crashes: rapid.IntRange(0, 2).Draw(t, "crashes"), Envelope: []byte(RandomJSON(m.rng)),
	}
	m.ids = append(m.ids, e.ID)
	return e
}

// when draws a due time: none, past, soon or far ahead.
func when(t *rapid.T) (runAt time.Time, soon, far bool) {
	switch rapid.IntRange(0, 3).Draw(t, "due") {
	case 1:
		return time.Now().Add(-long), false, false
	case 2:
		return time.Now().Add(short), true, false
	case 3:
		return time.Now().Add(long), false, true
	}
	return time.Time{}, false, false
}

func (m *inboxMachine) enqueue(t *rapid.T) {
	var batch []persistence.Entry
	far := make(map[job.ID]bool)
	var soon []job.ID
	for range rapid.IntRange(0, 4).Draw(t, "entries") {
		e := m.fresh(t)
		var isSoon bool
		if e.RunAt, isSoon, far[e.ID] = when(t); isSoon {
			soon = append(soon, e.ID)
		}
		if k := fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "key")); k < "3" && !m.tainted[m.model.keys["ann\x00"+k].holder] {
			e.Key = key("ann", k, fmt.Sprint("print of ", e.ID))
		}
		batch = append(batch, e)
	}
	m.offer(t, batch, far, soon)
}

// enqueueAgain offers jobs that were offered before, in any life.
func (m *inboxMachine) enqueueAgain(t *rapid.T) {
	var batch []persistence.Entry
	for _, id := range m.some(t, 3) {
		if m.model.dead[id] {
			continue // to be removed from the dead letters first
		}
		e := persistence.Entry{ID: id, Life: rapid.IntRange(1, 5).Draw(t, "life"), Priority: rapid.IntRange(0, job.MaxPriority).Draw(t, "priority"), Envelope: []byte(`"again"`)}
		e.Token = rapid.Int64Range(10, 90).Draw(t, "token")
		if known := m.model.jobs[id]; known != nil {
			e.Token = known.Token + 2
		}
		batch = append(batch, e)
	}
	m.offer(t, batch, nil, nil)
}

func (m *inboxMachine) offer(t *rapid.T, batch []persistence.Entry, far map[job.ID]bool, soon []job.ID) {
	since := m.model.back
	var want []persistence.Enqueued
	for _, e := range batch {
		want = append(want, m.model.enqueue(e, far[e.ID]))
	}
	got, err := m.in.Enqueue(m.ctx, m.queue, batch)
	ok(t, err)
	same(t, "answers", got, want)
	for _, a := range want {
		m.seen.either(a.Accepted, "accepted", "refused by key")
	}
	m.await(t, soon, since)
}

// await asks until the jobs, which are due soon if they are known, have come to wait.
func (m *inboxMachine) await(t *rapid.T, soon []job.ID, since int) {
	var moved []job.ID
	for _, id := range soon {
		if m.model.jobs[id] != nil {
			moved = append(moved, id)
		}
	}
	if len(moved) == 0 {
		return
	}
	m.model.due(moved, since)
	m.seen["came due"] += len(moved)
	want := m.model.depth().Delayed
	eventually(t, "jobs due soon have moved", func() bool {
		_, next, err := m.in.Due(m.ctx, m.queue, 2)
		ok(t, err)
		got, err := m.in.Depth(m.ctx, m.queue)
		ok(t, err)
		if got.Delayed < want {
			t.Fatalf("%d are delayed, want %d", got.Delayed, want)
		}
		if got.Delayed == want && next.IsZero() != (want == 0) {
			t.Fatalf("with %d delayed the next is due at %v", want, next)
		}
		return got.Delayed == want
	})
}

func (m *inboxMachine) claim(t *rapid.T) {
	node, most, lease := nodes.Draw(t, "node"), rapid.IntRange(0, 6).Draw(t, "max"), leases.Draw(t, "lease")
	ask := persistence.Ask{Max: most, Lease: lease, Can: rapid.SliceOfN(kinds, 0, 3).Draw(t, "can")}
	if rapid.IntRange(0, 2).Draw(t, "limited") == 0 {
		ask.Limit = rapid.IntRange(1, 4).Draw(t, "limit")
	}
	got, err := m.in.Claim(m.ctx, m.queue, node, ask)
	ok(t, err)
	sleeping := m.model.takeable(ask.Can)
	ok(t, m.model.claim(node, ask, lease == short, got))
	m.seen.either(ask.Limit > 0 && len(got) < most && len(m.model.ids(waiting)) > 0, "cut by the limit", "")
	for _, c := range got {
		m.seen.either(slices.Contains(sleeping, c.ID), "claimed from where it was parked", "")
		m.seen["claimed"]++
		m.seen.either(c.Crashes > 0, "claimed after a crash", "")
		m.seen.either(c.CancelRequested, "told to cancel", "")
	}
}

// hold draws a lease of the job: mostly the right one, if there is one.
func (m *inboxMachine) hold(t *rapid.T, id job.ID) persistence.Lease {
	l := persistence.Lease{ID: id, Node: nodes.Draw(t, "node"), Token: rapid.Int64Range(0, 5).Draw(t, "token")}
	if j := m.model.jobs[id]; j != nil && rapid.IntRange(0, 3).Draw(t, "stale") > 0 {
		l.Token = j.Token
		if j.node != "" && rapid.IntRange(0, 3).Draw(t, "other node") > 0 {
			l.Node = j.node
		}
	}
	return l
}

func (m *inboxMachine) renew(t *rapid.T) {
	term := leases.Draw(t, "term")
	var batch []persistence.Lease
	var want []persistence.Renewal
	for _, id := range m.mostlyLeased(t, 5) {
		l := m.hold(t, id)
		r := persistence.Renewal{State: m.model.renew(l, term == short)}
		m.seen[[]string{"", "held", "lost", "forgotten"}[r.State]]++
		r.CancelRequested = r.State == persistence.Held && m.model.jobs[id].cancel
		batch, want = append(batch, l), append(want, r)
	}
	got, err := m.in.Renew(m.ctx, m.queue, batch, term)
	ok(t, err)
	for i := range got {
		if got[i].State != persistence.Held {
			got[i].CancelRequested = false // of no meaning
		}
	}
	same(t, "renewals", got, want)
}

func (m *inboxMachine) settle(t *rapid.T) {
	since := m.model.back
	m.model.nextFront()
	var batch []persistence.Settlement
	var want []bool
	var soon []job.ID
	for _, id := range m.mostlyLeased(t, 5) {
		s := persistence.Settlement{Lease: m.hold(t, id), Verb: verbs.Draw(t, "verb"), For: kinds.Draw(t, "for")}
		if s.Verb == persistence.Delay {
			s.RunAt = time.Now().Add(long)
			if rapid.Bool().Draw(t, "soon") {
				s.RunAt = time.Now().Add(short)
			}
		}
		done := m.model.settle(s)
		m.seen.either(done, "settled", "not settled")
		m.seen.either(done && s.Verb == persistence.Park, "parked", "")
		if done && s.Verb == persistence.Delay && time.Until(s.RunAt) < long/2 {
			soon = append(soon, id)
		}
		batch, want = append(batch, s), append(want, done)
	}
	got, err := m.in.Settle(m.ctx, m.queue, batch)
	ok(t, err)
	same(t, "settlements", got, want)
	m.await(t, soon, since)
}

func (m *inboxMachine) restore(t *rapid.T) {
	node, lease := nodes.Draw(t, "node"), leases.Draw(t, "lease")
	batch := []persistence.Entry{m.fresh(t)}
	if len(m.ids) > 1 {
		for _, id := range m.some(t, 3) {
			if id != batch[0].ID && !m.model.dead[id] {
				batch = append(batch, persistence.Entry{ID: id, Life: 9, Token: 99, Envelope: []byte(`"restored"`)})
			}
		}
	}
	var want []bool
	for _, e := range batch {
		want = append(want, m.model.restore(e, node, lease == short))
		m.seen.either(want[len(want)-1], "restored", "not restored")
	}
	got, err := m.in.Restore(m.ctx, m.queue, node, batch, lease)
	ok(t, err)
	same(t, "restored", got, want)
}

func (m *inboxMachine) reap(t *rapid.T) {
	most := rapid.IntRange(1, 4).Draw(t, "max")
	eventually(t, "every ended lease is reaped", func() bool {
		got, err := m.in.Reap(m.ctx, m.queue, most)
		ok(t, err)
		if len(got) > most {
			t.Fatalf("%d were reaped, asked for %d", len(got), most)
		}
		ok(t, m.model.reap(got))
		m.seen["reaped"] += len(got)
		return len(m.model.ended()) == 0
	})
}

// holderWalk is a walk over a node's leases that other commands come between.
type holderWalk struct {
	node, after string
	held        map[job.ID]int64 // the tokens under which the node has held, without a break, what it did when the walk began
}

func (m *inboxMachine) reapHolder(t *rapid.T) {
	if m.walk == nil {
		m.walk = &holderWalk{node: nodes.Draw(t, "node"), held: make(map[job.ID]int64)}
		for _, id := range m.model.ids(leased) {
			if j := m.model.jobs[id]; j.node == m.walk.node {
				m.walk.held[id] = j.Token
			}
		}
	}
	got, next, err := m.in.ReapHolder(m.ctx, m.queue, m.walk.node, m.walk.after, rapid.IntRange(1, 4).Draw(t, "max"))
	ok(t, err)
	ok(t, m.model.reapHolder(m.walk.node, got))
	m.seen["reaped of a holder"] += len(got)
	if m.walk.after = next; next != "" {
		return
	}
	for id, token := range m.walk.held {
		if m.model.holds(persistence.Lease{ID: id, Token: token, Node: m.walk.node}) {
			t.Fatalf("the walk over the leases of %s missed job %s", m.walk.node, id)
		}
	}
	m.walk = nil
	m.seen["walked to the end"]++
}

func (m *inboxMachine) hasten(t *rapid.T) {
	tokens := make(map[job.ID]int64)
	for _, id := range m.some(t, 4) {
		tokens[id] = rapid.Int64Range(0, 20).Draw(t, "token")
	}
	m.model.hasten(tokens)
	ok(t, m.in.Hasten(m.ctx, m.queue, tokens))
}

func (m *inboxMachine) remove(t *rapid.T) {
	ids := m.some(t, 3)
	before := len(m.model.jobs)
	m.model.remove(ids)
	m.seen["removed"] += before - len(m.model.jobs)
	ok(t, m.in.Remove(m.ctx, m.queue, ids))
	for _, id := range ids {
		m.tainted[id] = true
	}
}

func (m *inboxMachine) cancel(t *rapid.T) {
	id := m.some(t, 1)[0]
	j := m.model.jobs[id]
	if j == nil {
		t.Skip("what becomes of word for an unknown job is not said")
	}
	j.cancel = true
	ok(t, m.in.RequestCancel(m.ctx, m.queue, id))
}

func (m *inboxMachine) known(t *rapid.T) {
	ids := m.some(t, 5)
	var want []bool
	for _, id := range ids {
		want = append(want, m.model.jobs[id] != nil)
	}
	got, err := m.in.Known(m.ctx, m.queue, ids)
	ok(t, err)
	same(t, "known", got, want)
}
