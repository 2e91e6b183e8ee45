package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Bus runs the suite on the pairs that open gives: two nodes on one bus, closed by the test's cleanup. A driver for a single
// node gives nil for the second, and is held to what one node can see.
func Bus(t *testing.T, open func(t *testing.T) (a, b persistence.Bus), options ...BusOption) {
	for _, c := range busCases {
		t.Run(c.name, func(t *testing.T) {
			a, b := open(t)
			if b == nil && c.pair {
				t.Skip("this bus has one node")
			}
			bt := &busTest{T: t, ctx: testContext(t), a: a, b: b, rng: Random(t)}
			for _, option := range options {
				option(bt)
			}
			c.run(bt)
		})
	}
}

// BusOption says what a driver is held to.
type BusOption func(*busTest)

// BusByJob is for a bus that divides jobs among servers: one publication may be several deliveries, and order holds for each job.
func BusByJob() BusOption { return func(t *busTest) { t.byJob = true } }

type busCase struct {
	name string
	pair bool // needs two nodes
	run  func(*busTest)
}

type busTest struct {
	*testing.T
	ctx   context.Context
	a, b  persistence.Bus
	rng   *rand.Rand
	byJob bool
}

// state is a job's state in words that tell it from all others. It begins as a job.View does.
func (t *busTest) state(id job.ID, version int) persistence.State {
	text, err := json.Marshal(struct {
		ID      job.ID `json:"id"`
		Version int    `json:"version"`
		Note    string `json:"note"`
	}{id, version, RandomText(t.rng)})
	if err != nil {
		t.Fatal(err)
	}
	return persistence.State{ID: id, Version: int64(version), JSON: text}
}

func (t *busTest) newState(version int) persistence.State {
	return t.state(NewID(t.rng, time.Now()), version)
}

func (t *busTest) publish(from persistence.Bus, states ...persistence.State) {
	t.Helper()
	if err := from.Publish(t.ctx, states); err != nil {
		t.Fatal(err)
	}
}

func (t *busTest) wantLast(on persistence.Bus, want ...persistence.State) {
	t.Helper()
	var ids []job.ID
	var texts [][]byte
	for _, s := range want {
		ids, texts = append(ids, s.ID), append(texts, s.JSON)
	}
	got, err := on.Last(t.ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(texts, got, sameBytes); diff != "" {
		t.Errorf("last states (-want +got):\n%s", diff)
	}
}

// ear collects what a node hears.
type ear struct {
	mu    sync.Mutex
	heard []persistence.Delivery
	stop  func()
}

// listen subscribes and returns when the subscription is confirmed.
func (t *busTest) listen(on persistence.Bus) *ear {
	t.Helper()
	e := &ear{}
	ready := make(chan struct{}, 2)
	e.stop = watching(t.T, t.ctx, "Subscribe", func(ctx context.Context) error {
		return on.Subscribe(ctx, func() { ready <- struct{}{} }, func(d persistence.Delivery) {
			if len(d.States) == 0 && d.Signal == nil {
				return // word of a gap alone: always allowed
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			e.heard = append(e.heard, d)
		})
	})
	select {
	case <-ready:
	case <-time.After(waitWithin):
		t.Fatalf("the subscription was not confirmed within %s", waitWithin)
	}
	t.Cleanup(func() {
		if len(ready) > 0 {
			t.Error("ready was called twice")
		}
	})
	return e
}

func (e *ear) all() []persistence.Delivery {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]persistence.Delivery(nil), e.heard...)
}

// wantHeard waits for as many deliveries and compares them: states and signals, in order, without a gap.
func (t *busTest) wantHeard(e *ear, want ...persistence.Delivery) {
	t.Helper()
	if t.byJob {
		t.wantHeardByJob(e, want)
		return
	}
	eventually(t, fmt.Sprintf("%d deliveries are heard", len(want)), func() bool { return len(e.all()) >= len(want) })
	got := e.all()
	for i := range got {
		if got[i].Node == "" {
			t.Errorf("delivery %d does not name its node", i)
		}
	}
	if diff := cmp.Diff(want, got, sameBytes, cmpopts.IgnoreFields(persistence.Delivery{}, "Node", "Sent")); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

// wantHeardStates waits for the states, in the order of each job's, however they are divided into deliveries.
func (t *busTest) wantHeardStates(e *ear, want ...persistence.State) {
	t.Helper()
	expected := byJob([]persistence.Delivery{delivery(want...)})
	eventually(t, fmt.Sprintf("%d states are heard", len(want)), func() bool { return byJob(e.all()).Count >= len(want) })
	if diff := cmp.Diff(expected, byJob(e.all())); diff != "" {
		t.Errorf("heard (-want +got):\n%s", diff)
	}
}

func delivery(states ...persistence.State) persistence.Delivery {
	var d persistence.Delivery
	for _, s := range states {
		d.States = append(d.States, s.JSON)
	}
	return d
}

var busCases = []busCase{
	{"the last state of each job is kept to the byte", false, func(t *busTest) {
		one, two := t.newState(1), t.newState(1)
		two.JSON = []byte("{ \"b\":1,\n\"a\":12345678901234567890, \"z\":\"\\u0000🎬\" }")
		two.Terminal = true
		t.publish(t.a, one, two)
		newer := t.state(one.ID, 2)
		t.publish(t.a, newer)
		never := persistence.State{ID: NewID(t.rng, time.Now())}
		t.wantLast(t.a, two, never, newer)
		t.wantLast(t.a)
		t.publish(t.a)
	}},
	{"the last state is known to every node", true, func(t *busTest) {
		s := t.newState(1)
		t.publish(t.a, s)
		t.wantLast(t.b, s)
		newer := t.state(s.ID, 2)
		t.publish(t.b, newer)
		t.wantLast(t.a, newer)
	}},
	{"an older state changes nothing", false, func(t *busTest) {
		newer := t.state(NewID(t.rng, time.Now()), 2_000_003)
		t.publish(t.a, newer)
		for _, version := range []int{1, 999_999, 2_000_002} {
			t.publish(t.a, t.state(newer.ID, version))
			t.wantLast(t.a, newer)
		}
		again := t.state(newer.ID, 2_000_003)
		t.publish(t.a, again)
		t.wantLast(t.a, again)
	}},
	{"an older state is told to nobody, and those beside it are", true, func(t *busTest) {
		newer, ear := t.state(NewID(t.rng, time.Now()), 12_000_001), t.listen(t.b)
		t.publish(t.a, newer)
		t.wantHeard(ear, delivery(newer))
		older, beside, ended := t.state(newer.ID, 9_000_004), t.newState(1), t.newState(3)
		ended.Terminal, ended.Final = true, true
		toA := t.listen(t.a)
		t.publish(t.b, older)
		t.publish(t.b, ended, older, beside)
		t.publish(t.b, t.state(older.ID, 12_000_000))
		t.wantLast(t.a, newer, beside, ended)
		after := t.newState(1)
		t.publish(t.b, after)
		t.wantHeardStates(toA, ended, beside, after)
		t.wantHeard(ear, delivery(newer))
	}},
	{"a node does not hear itself", false, func(t *busTest) {
		ear := t.listen(t.a)
		t.publish(t.a, t.newState(1))
		if err := t.a.Signal(t.ctx, persistence.Signal{Topic: persistence.SignalQueue, Queue: "films"}); err != nil {
			t.Fatal(err)
		}
		var want []persistence.Delivery
		if t.b != nil { // what follows it is heard, and it is not
			s := t.newState(1)
			t.publish(t.b, s)
			want = append(want, delivery(s))
		}
		t.wantHeard(ear, want...)
		ear.stop()
		t.wantHeard(ear, want...)
	}},
	{"what is said after ready is heard, one delivery a publication, in order", true, func(t *busTest) {
		ear := t.listen(t.b)
		var want []persistence.Delivery
		id := NewID(t.rng, time.Now())
		for n := range 200 {
			states := []persistence.State{t.state(id, n)}
			for range t.rng.IntN(4) {
				states = append(states, t.newState(n))
			}
			t.publish(t.a, states...)
			want = append(want, delivery(states...))
		}
		t.wantHeard(ear, want...)
	}},
	{"signals are heard among the states", true, func(t *busTest) {
		ear := t.listen(t.b)
		s := t.newState(1)
		signals := []persistence.Signal{
			{Topic: persistence.SignalCancel, ID: s.ID, Queue: "films"},
			{Topic: persistence.SignalQueue, Queue: "films"},
			{Topic: persistence.SignalRemoved, Jobs: []job.ID{s.ID, NewID(t.rng, time.Now())}},
			{Topic: persistence.SignalPresence, Presence: &persistence.Presence{Topics: []string{"all"}}},
		}
		want := []persistence.Delivery{delivery(s)}
		t.publish(t.a, s)
		for _, signal := range signals {
			if err := t.a.Signal(t.ctx, signal); err != nil {
				t.Fatal(err)
			}
			want = append(want, persistence.Delivery{Signal: &signal})
		}
		t.wantHeard(ear, want...)
	}},
	{"each node is named, always the same", true, func(t *busTest) {
		ofA, ofB := t.listen(t.b), t.listen(t.a)
		for n := range 3 {
			t.publish(t.a, t.newState(n))
			t.publish(t.b, t.newState(n))
		}
		var names [2]string
		for i, ear := range []*ear{ofA, ofB} {
			eventually(t, "three deliveries are heard", func() bool { return len(ear.all()) == 3 })
			names[i] = ear.all()[0].Node
			for _, d := range ear.all() {
				if d.Node != names[i] || d.Node == "" {
					t.Errorf("a delivery is of node %q, the first was of %q", d.Node, names[i])
				}
			}
		}
		if names[0] == names[1] {
			t.Errorf("both nodes are named %q", names[0])
		}
	}},
	{"many and large states are one delivery", true, func(t *busTest) {
		ear := t.listen(t.b)
		states := make([]persistence.State, persistence.MaxBatch)
		for i := range states {
			states[i] = t.newState(i)
		}
		large := t.newState(0)
		large.JSON = fmt.Appendf(nil, `{"id":%q,"result":"%0*d"}`, large.ID, job.MaxResult, 0)
		t.publish(t.a, states...)
		t.publish(t.a, large)
		t.wantHeard(ear, delivery(states...), delivery(large))
		t.wantLast(t.b, append(states[:10:10], large)...)
	}},
	{"one that listens again hears what is said then", true, func(t *busTest) {
		before, between, after := t.newState(1), t.newState(2), t.newState(3)
		ear := t.listen(t.b)
		t.publish(t.a, before)
		t.wantHeard(ear, delivery(before))
		ear.stop()
		t.publish(t.a, between)
		again := t.listen(t.b)
		t.publish(t.a, after)
		t.wantHeard(again, delivery(after))
		t.wantHeard(ear, delivery(before))
	}},
	{"publishing from many at once loses nothing", true, func(t *busTest) {
		const publishers, each = 6, 50
		ear := t.listen(t.b)
		var wg sync.WaitGroup
		for range publishers {
			var states []persistence.State
			for n := range each {
				states = append(states, t.newState(n))
			}
			wg.Go(func() {
				for _, s := range states {
					if err := t.a.Publish(t.ctx, []persistence.State{s}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		heard := func() (n int) {
			for _, d := range ear.all() {
				n += len(d.States)
			}
			return n
		}
		eventually(t, "every state is heard", func() bool { return heard() >= publishers*each })
		if heard() != publishers*each {
			t.Errorf("%d states were heard, %d were published", heard(), publishers*each)
		}
	}},
	{"an ended context ends every method", false, func(t *busTest) {
		ctx, cancel := context.WithCancel(t.ctx)
		cancel()
		s := t.newState(1)
		expectEnded(t.T, "Publish", t.a.Publish(ctx, []persistence.State{s}))
		_, err := t.a.Last(ctx, []job.ID{s.ID})
		expectEnded(t.T, "Last", err)
		expectEnded(t.T, "Signal", t.a.Signal(ctx, persistence.Signal{Topic: persistence.SignalQueue}))
		t.wantLast(t.a, persistence.State{ID: s.ID})
	}},
}
