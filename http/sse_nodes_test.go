package httpapi

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// muteBus says nothing while it is mute, and nobody is told: no error, no gap in the numbers.
type muteBus struct {
	persistence.Bus
	mute *atomic.Bool
}

func (b muteBus) Publish(ctx context.Context, states []persistence.State) error {
	if b.mute.Load() {
		return nil
	}
	return b.Bus.Publish(ctx, states)
}

// other is the node that does not run the job.
func other(t *testing.T, nodes []*rig, view job.View) *rig {
	t.Helper()
	for _, node := range nodes {
		if node.app.Node() != view.Node {
			return node
		}
	}
	t.Fatalf("no node but %s", view.Node)
	return nil
}

func TestTheEndIsSeenAtAnotherNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	nodes := []*rig{w.start(nil, nil), w.start(nil, nil)}
	id := nodes[0].submit(`{"kind":"gate"}`)
	elsewhere := other(t, nodes, nodes[0].await(id, job.Processing))
	c := watch(t, elsewhere.URL, "/v1/jobs/"+id.String()+"/stream").connect(limited(t))
	defer c.close()
	c.until(eventReady)
	began := time.Now()
	w.release <- struct{}{}
	if end := endOf(t, c.until(eventEnd)); end.Reason != "done" || !c.knows(id) {
		t.Errorf("%+v, told %v", end, c.told())
	}
	t.Logf("seen after %s", time.Since(began))
}

// The backstop: what no message told is read from the store.
func TestTheEndIsSeenThoughNobodyTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	var mute atomic.Bool
	quiet := func(c *actors.Config) { c.Bus = muteBus{c.Bus, &mute} }
	nodes := []*rig{w.start(nil, quiet), w.start(nil, quiet)}
	id := nodes[0].submit(`{"kind":"gate","owner":"u1"}`)
	elsewhere := other(t, nodes, nodes[0].await(id, job.Processing))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	byPath := map[string]*connection{}
	for _, path := range []string{"/v1/jobs/" + id.String() + "/stream", "/v1/stream?topic=owner:u1", "/v1/stream?topic=all"} {
		c := watch(t, elsewhere.URL, path).connect(ctx)
		defer c.close()
		c.until(eventReady)
		byPath[path] = c
	}
	mute.Store(true)
	began := time.Now()
	w.release <- struct{}{}
	for path, c := range byPath {
		for !c.knows(id) {
			c.next()
		}
		t.Logf("%s: seen after %s", path, time.Since(began))
	}
	if waited := time.Since(began); waited > 30*time.Second {
		t.Errorf("it took %s", waited)
	}
}

// A stream that went on where it was has been sent nothing yet, and one of an owner may have jobs that its node never heard
// of: the backstop finds both.
func TestTheBackstopFindsWhatAStreamWasNeverSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	var mute atomic.Bool
	quiet := func(c *actors.Config) { c.Bus = muteBus{c.Bus, &mute} }
	nodes := []*rig{w.start(nil, quiet), w.start(nil, quiet)}
	known := nodes[0].submit(`{"kind":"gate","owner":"u1"}`)
	elsewhere := other(t, nodes, nodes[0].await(known, job.Processing))
	ctx, cancel := context.WithTimeout(t.Context(), 70*time.Second)
	defer cancel()
	client := watch(t, elsewhere.URL, "/v1/stream?topic=owner:u1")
	c := client.connect(ctx)
	c.until(eventReady)
	c.close()
	c = client.connect(ctx)
	defer c.close()
	if c.until(eventReady); c.hello.Mode != "resume" {
		t.Fatalf("came back by %s", c.hello.Mode)
	}
	mute.Store(true)
	w.release <- struct{}{}
	there := nodes[0]
	if there == elsewhere {
		there = nodes[1]
	}
	unheard := there.submit(`{"kind":"echo","owner":"u1"}`)
	began := time.Now()
	for !c.knows(known) || !c.knows(unheard) {
		if _, ok := c.tryNext(); !ok {
			t.Fatalf("after %s: the end of the one: %t, of the other: %t", time.Since(began), c.knows(known), c.knows(unheard))
		}
	}
	t.Logf("seen after %s", time.Since(began))
}

// The bus is gone while a job ends, and comes back: its subscribers look for what they have missed, at once.
func TestTheEndIsSeenAfterTheBusWasGone(t *testing.T) {
	t.Parallel()
	server := testenv.StartRedis(t, testenv.Options{})
	w := newWorld(t, server.URL)
	nodes := []*rig{w.start(nil, nil), w.start(nil, nil)}
	id := nodes[0].submit(`{"kind":"gate","owner":"u1"}`)
	running := nodes[0].await(id, job.Processing)
	elsewhere := other(t, nodes, running)
	c := watch(t, elsewhere.URL, "/v1/stream?topic=owner:u1").connect(limited(t))
	defer c.close()
	c.until(eventReady)
	server.Kill()
	w.release <- struct{}{}
	store := w.db.Store()
	waitFor(t, "the job to end", func() bool {
		records, err := store.Get(t.Context(), []job.ID{id})
		return err == nil && len(records) == 1 && records[0].Job.Status == job.Completed
	})
	fresh := watch(t, elsewhere.URL, "/v1/stream?topic=owner:u1").connect(limited(t)) // snapshots need no bus
	defer fresh.close()
	if fresh.until(eventReady); !fresh.knows(id) {
		t.Errorf("while the bus is gone a snapshot says %v", fresh.told())
	}
	server.Start()
	began := time.Now()
	for !c.knows(id) {
		c.next()
	}
	t.Logf("seen %s after the bus came back", time.Since(began))
	if waited := time.Since(began); waited > 10*time.Second {
		t.Errorf("it took %s", waited)
	}
}
