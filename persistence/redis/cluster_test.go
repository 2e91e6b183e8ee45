package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// startCluster is the URL of a cluster of three masters.
func startCluster(t *testing.T) (url string, servers []*testenv.Server) {
	t.Helper()
	servers = testenv.StartRedisCluster(t, 3)
	return fmt.Sprintf("redis://%s?addr=%s", servers[0].Addr, servers[1].Addr), servers
}

func TestClusterBus(t *testing.T) {
	url, _ := startCluster(t)
	storetest.Bus(t, func(t *testing.T) (a, b persistence.Bus) {
		config := Config{URL: url, Prefix: t.Name() + "/"}
		return connect(t, config).Bus("node-a"), connect(t, config).Bus("node-b")
	}, storetest.BusByJob())
}

func TestClusterInbox(t *testing.T) {
	url, _ := startCluster(t)
	open := func(t *testing.T) persistence.Inbox {
		return connect(t, Config{URL: url, Prefix: t.Name() + "/"}).Inbox()
	}
	storetest.Inbox(t, open,
		storetest.InboxPeer(func(t *testing.T, in persistence.Inbox) persistence.Inbox {
			return connect(t, Config{URL: url, Prefix: in.(*Inbox).c.config.Prefix}).Inbox()
		}),
		storetest.InboxLoss(func(t *testing.T, in persistence.Inbox) {
			if err := in.(*Inbox).c.masters(t.Context(), func(ctx context.Context, server *goredis.Client) error {
				return server.FlushAll(ctx).Err()
			}); err != nil {
				t.Fatal(err)
			}
		}))
}

// follower is a node that follows the bus as a broadcaster does: after a gap it looks where things are.
type follower struct {
	bus   persistence.Bus
	mu    sync.Mutex
	known map[job.ID]string
	gaps  int
	ready chan struct{}
}

func follow(t *testing.T, ctx context.Context, running *sync.WaitGroup, bus persistence.Bus) *follower {
	f := &follower{bus: bus, known: map[job.ID]string{}, ready: make(chan struct{})}
	running.Go(func() {
		if err := bus.Subscribe(ctx, func() { close(f.ready) }, f.hear); err != nil {
			t.Error(err)
		}
	})
	<-f.ready
	return f
}

func (f *follower) hear(d persistence.Delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, text := range byID(d.States) {
		f.known[id] = text
	}
	if d.Gap {
		f.gaps++
	}
}

func byID(states [][]byte) map[job.ID]string {
	all := make(map[job.ID]string, len(states))
	for _, text := range states {
		id, _, _ := strings.Cut(string(text), " ")
		if parsed, err := job.ParseID(id); err == nil {
			all[parsed] = string(text)
		}
	}
	return all
}

func (f *follower) has(want []persistence.State) (missing int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range want {
		if f.known[s.ID] != string(s.JSON) {
			missing++
		}
	}
	return missing
}

func (f *follower) gapsSoFar() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.gaps
}

func statesOf(ids []job.ID, version int) []persistence.State {
	states := make([]persistence.State, len(ids))
	for i, id := range ids {
		states[i] = persistence.State{ID: id, JSON: fmt.Appendf(nil, "%s %d", id, version)}
	}
	return states
}

// A connection that one master cuts is a gap, at once, and what is said afterwards is heard again: in all partitions, whether they
// were with that master or not.
func TestClusterLosesAConnection(t *testing.T) {
	url, servers := startCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	f := follow(t, ctx, &running, connect(t, Config{URL: url}).Bus("node-b"))
	speaker := connect(t, Config{URL: url}).Bus("node-a")
	rng := storetest.Random(t)
	ids := make([]job.ID, 500) // some in every partition
	for i := range ids {
		ids[i] = storetest.NewID(rng, time.Now())
	}
	publish := func(version int) []persistence.State {
		t.Helper()
		states := statesOf(ids, version)
		if err := speaker.Publish(ctx, states); err != nil {
			t.Fatal(err)
		}
		return states
	}
	first := publish(1)
	eventually(t, "all states", func() bool { return f.has(first) == 0 })
	for round, server := range servers {
		one := goredis.NewClient(&goredis.Options{Addr: server.Addr, Protocol: 2})
		gaps := f.gapsSoFar()
		if n, err := one.ClientKillByFilter(ctx, "TYPE", "pubsub").Result(); err != nil || n == 0 {
			t.Fatalf("%d connections killed: %v", n, err)
		}
		_ = one.Close()
		lost := publish(10 * (round + 1)) // a part of it goes nowhere
		began := time.Now()
		eventually(t, "a gap", func() bool { return f.gapsSoFar() > gaps })
		t.Logf("master %d: the gap was reported after %s; %d of %d states were lost", round, time.Since(began).Round(time.Millisecond), f.has(lost), len(lost))
		last, err := f.bus.Last(ctx, ids) // the gap says: look
		if err != nil {
			t.Fatal(err)
		}
		f.hear(persistence.Delivery{States: last})
		if missing := f.has(lost); missing > 0 {
			t.Errorf("master %d: %d states are missing after the look", round, missing)
		}
		next := publish(10*(round+1) + 1)
		eventually(t, "all states again", func() bool { return f.has(next) == 0 })
	}
}

// A master that stops answering makes its share unavailable, and is a gap once it is back.
func TestClusterMasterStopsAndReturns(t *testing.T) {
	url, servers := startCluster(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	f := follow(t, ctx, &running, connect(t, Config{URL: url}).Bus("node-b"))
	c := connect(t, Config{URL: url})
	speaker := c.Bus("node-a")
	rng := storetest.Random(t)
	ids := make([]job.ID, 200)
	for i := range ids {
		ids[i] = storetest.NewID(rng, time.Now())
	}
	servers[2].Suspend()
	if err := speaker.Publish(ctx, statesOf(ids, 1)); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("publish with a master that does not answer: %v, want ErrUnavailable", err)
	}
	if err := c.Inbox().Ping(ctx); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("ping with a master that does not answer: %v, want ErrUnavailable", err)
	}
	gaps := f.gapsSoFar()
	servers[2].Resume()
	eventually(t, "a gap", func() bool { return f.gapsSoFar() > gaps })
	states := statesOf(ids, 2)
	eventually(t, "states again", func() bool { return speaker.Publish(ctx, states) == nil && f.has(states) == 0 })
}

func TestClusterIsToldByItsURL(t *testing.T) {
	for url, want := range map[string]bool{
		"redis://a:1": false, "redis://a:1/3": false, "redis://a:1?addr=b:2": true, "rediss://u:p@a:1?addr=b:2&addr=c:3": true, "unix:///run/redis.sock": false,
	} {
		if got := isCluster(url); got != want {
			t.Errorf("%s: %v", url, got)
		}
	}
}
