package redis

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// eventually asks until the answer is yes.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !yes(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// fresh makes n new jobs for a queue.
func fresh(t testing.TB, n int) []persistence.Entry {
	rng := storetest.Random(t)
	entries := make([]persistence.Entry, n)
	for i := range entries {
		entries[i] = persistence.Entry{ID: storetest.NewID(rng, time.Now()), Life: 1, Envelope: []byte(`{"n":1}`)}
	}
	return entries
}

func enqueue(t testing.TB, in *Inbox, entries []persistence.Entry) {
	t.Helper()
	if _, err := in.Enqueue(t.Context(), "films", entries); err != nil {
		t.Fatal(err)
	}
}

func claim(t testing.TB, in *Inbox, most int) []persistence.Claim {
	t.Helper()
	claims, err := in.Claim(t.Context(), "films", "node-a", persistence.Ask{Max: most, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func depth(t testing.TB, in *Inbox) persistence.Depth {
	t.Helper()
	d, err := in.Depth(t.Context(), "films")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSuspendedServer(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{})
	in := connect(t, Config{URL: server.URL}).Inbox()
	enqueue(t, in, fresh(t, 10))
	server.Suspend()

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := in.Claim(ctx, "films", "node-a", persistence.Ask{Max: 6, Lease: time.Hour})
	if !errors.Is(err, persistence.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a claim with a deadline: %v, want ErrUnavailable and DeadlineExceeded", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("a deadline of 200 ms held after %s", took)
	}
	began = time.Now()
	if _, err := in.Depth(t.Context(), "films"); !errors.Is(err, persistence.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a deadline: %v, want ErrUnavailable", err)
	}
	if took, most := time.Since(began), 2*(dialTimeout+poolTimeout+2*ioTimeout); took > most {
		t.Errorf("without a deadline it took %s, at most %s", took, most)
	}

	server.Resume() // and now it carries out the first claim, of which nobody hears
	eventually(t, "the claim that failed has been made", func() bool {
		d, err := in.Depth(t.Context(), "films")
		return err == nil && d.Leased == 6
	})
	if got := claim(t, in, 10); len(got) != 6 || got[0].Token != 1 || depth(t, in).Leased != 6 {
		t.Errorf("the next claim got %d jobs, %d are leased; want the 6 of the failed one", len(got), depth(t, in).Leased)
	}
	if got := claim(t, in, 10); len(got) != 4 {
		t.Errorf("the one after it got %d jobs, want the other 4", len(got))
	}
}

// record is what a Subscribe or a Watch heard.
type record struct {
	mu       sync.Mutex
	gaps     int
	states   int
	wakes    int
	ready    chan struct{}
	finished sync.WaitGroup
}

func (r *record) count(n *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return *n
}

func (r *record) add(n *int, more int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*n += more
}

func (r *record) subscribe(t *testing.T, ctx context.Context, b persistence.Bus) {
	r.ready = make(chan struct{})
	r.finished.Go(func() {
		err := b.Subscribe(ctx, func() { close(r.ready) }, func(d persistence.Delivery) {
			r.add(&r.states, len(d.States))
			if d.Gap {
				r.add(&r.gaps, 1)
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-r.ready
}

func (r *record) watch(t *testing.T, ctx context.Context, in *Inbox) {
	r.finished.Go(func() {
		if err := in.Watch(ctx, func(string) { r.add(&r.wakes, 1) }); err != nil {
			t.Error(err)
		}
	})
}

func TestServerDiesAndReturns(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{Durable: true})
	c, other := connect(t, Config{URL: server.URL}), connect(t, Config{URL: server.URL})
	in := c.Inbox()
	ctx, cancel := context.WithCancel(t.Context())
	var heard record
	defer heard.finished.Wait()
	defer cancel()
	heard.subscribe(t, ctx, c.Bus("node-a"))
	heard.watch(t, ctx, in)
	speaker := other.Bus("node-b")
	state := persistence.State{ID: job.ID{1}, JSON: []byte(`{}`)}
	enqueue(t, in, fresh(t, 3))
	eventually(t, "a wake-up", func() bool { return heard.count(&heard.wakes) > 0 })
	if err := speaker.Publish(ctx, []persistence.State{state}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a state", func() bool { return heard.count(&heard.states) == 1 })
	before, err := in.Generation(ctx)
	if err != nil {
		t.Fatal(err)
	}

	server.Kill()
	if _, err := in.Enqueue(ctx, "films", fresh(t, 1)); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("enqueue without a server: %v, want ErrUnavailable", err)
	}
	if err := speaker.Publish(ctx, []persistence.State{state}); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("publish without a server: %v, want ErrUnavailable", err)
	}
	gaps, wakes := heard.count(&heard.gaps), heard.count(&heard.wakes)
	server.Start()
	eventually(t, "a gap and a wake-up", func() bool {
		return heard.count(&heard.gaps) > gaps && heard.count(&heard.wakes) > wakes
	})
	eventually(t, "states again", func() bool {
		return speaker.Publish(ctx, []persistence.State{state}) == nil && heard.count(&heard.states) > 1
	})
	if d := depth(t, in); d.Waiting != 3 {
		t.Errorf("%d wait after the return, want 3", d.Waiting)
	}
	if after, err := in.Generation(ctx); err != nil || after != before {
		t.Errorf("generation %q after a durable server's return (%v), was %q", after, err, before)
	}
}

func TestSilentConnectionIsGivenUp(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{})
	c := connect(t, Config{URL: server.URL})
	ctx, cancel := context.WithCancel(t.Context())
	var heard record
	defer heard.finished.Wait()
	defer cancel()
	heard.subscribe(t, ctx, c.Bus("node-a"))
	server.Suspend()
	connections := func() uint32 { return c.rdb.PoolStats().PubSubStats.Created }
	before := connections()
	eventually(t, "another connection is tried", func() bool { return connections() > before })
	server.Resume()
	eventually(t, "a gap", func() bool { return heard.count(&heard.gaps) > 0 })
}

func TestReadOnlyServerIsUnavailable(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{})
	c := connect(t, Config{URL: server.URL})
	if err := c.rdb.ReplicaOf(t.Context(), "127.0.0.1", "1").Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Inbox().Enqueue(t.Context(), "films", fresh(t, 1)); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("enqueue at a replica: %v, want ErrUnavailable", err)
	}
	if err := c.Inbox().Ping(t.Context()); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("ping at a replica: %v, want ErrUnavailable", err)
	}
	if err := c.rdb.ReplicaOf(t.Context(), "no", "one").Err(); err != nil {
		t.Fatal(err)
	}
}
