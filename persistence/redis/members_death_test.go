package redis

import (
	"flag"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

var nodesToKill = flag.Int("redis.kills", 5, "kill so many nodes, at least 2, to see how soon they fall")

// TestKilledNodesFallAtOnce kills processes at any moment between two of their beats, with one other node to notice.
func TestKilledNodesFallAtOnce(t *testing.T) {
	t.Parallel()
	const within = 2 * time.Second
	kills := *nodesToKill
	url := testenv.StartRedis(t, testenv.Options{}).URL
	crew, rng := newCrew(t, url), storetest.Random(t)
	victims := make([]*child, kills)
	for i := range victims {
		victims[i] = startNode(t, url, fmt.Sprintf("node-%02d", i))
	}
	crew.all(kills + 1)
	crew.wellFor("before any is killed", nodeSilence+nodeBeats)
	took := make([]time.Duration, 0, kills)
	for _, victim := range victims {
		moment := time.Now().Add(time.Duration(rng.Int64N(int64(nodeBeats))))
		eventually(t, "a moment", func() bool { crew.look(); return time.Now().After(moment) })
		took = append(took, crew.killed(victim))
		if err := crew.m.Bury(t.Context(), victim.name); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(took)
	t.Logf("from the kill to the fall: p50 %s, p95 %s, longest %s", took[kills/2], took[kills*19/20-1], took[kills-1])
	if took[kills-1] > within {
		t.Errorf("one fell %s after it was killed, want at most %s", took[kills-1], within)
	}
}

// TestStoppedNodeKeepsItsTime: its connections are there, so it has as long as it said.
func TestStoppedNodeKeepsItsTime(t *testing.T) {
	t.Parallel()
	url := testenv.StartRedis(t, testenv.Options{}).URL
	crew := newCrew(t, url)
	stopped := startNode(t, url, "stopped")
	crew.all(2)
	crew.wellFor("before it is stopped", nodeSilence+nodeBeats)
	stopped.signal(t, syscall.SIGSTOP)
	crew.wellFor("it is stopped for 3 s", 3*time.Second)
	stopped.signal(t, syscall.SIGCONT)
	crew.wellFor("it goes on", 2*time.Second)
	if stopped.returned() {
		t.Error("it was declared dead")
	}

	stopped.signal(t, syscall.SIGSTOP)
	began := time.Now()
	eventually(t, "it falls, being stopped for too long", func() bool { _, fallen, _ := crew.look(); return len(fallen) == 1 })
	t.Logf("a stopped one fell after %s", time.Since(began))
	stopped.signal(t, syscall.SIGCONT)
	crew.all(2)
	eventually(t, "it is told that it has returned", stopped.returned)
	if _, fallen, _ := crew.look(); len(fallen) != 0 {
		t.Errorf("after its return fallen: %+v", fallen)
	}
}

// TestNobodyFallsWithTheServer stops, kills and empties the server. Afterwards the dead fall as fast as before.
func TestNobodyFallsWithTheServer(t *testing.T) {
	for _, c := range []struct {
		name    string
		durable bool
		happens func(*testing.T, *testenv.Server, *crew)
	}{
		{"suspended for 8 s", false, func(_ *testing.T, s *testenv.Server, crew *crew) {
			s.Suspend()
			ended := time.Now().Add(8 * time.Second)
			eventually(crew, "8 s", func() bool { return time.Now().After(ended) })
			s.Resume()
		}},
		{"suspended for 1.5 s", false, func(_ *testing.T, s *testenv.Server, crew *crew) {
			s.Suspend()
			ended := time.Now().Add(1500 * time.Millisecond)
			eventually(crew, "1.5 s", func() bool { return time.Now().After(ended) })
			s.Resume()
		}},
		{"restarted with its data", true, func(_ *testing.T, s *testenv.Server, _ *crew) { s.Stop(); s.Start() }},
		{"killed and started with its data", true, func(_ *testing.T, s *testenv.Server, _ *crew) { s.Kill(); s.Start() }},
		{"restarted without its data", false, func(_ *testing.T, s *testenv.Server, _ *crew) { s.Stop(); s.Start() }},
		{"away for 4 s", true, func(_ *testing.T, s *testenv.Server, crew *crew) {
			s.Stop()
			ended := time.Now().Add(4 * time.Second)
			eventually(crew, "4 s", func() bool { return time.Now().After(ended) })
			s.Start()
		}},
		{"emptied", false, func(t *testing.T, _ *testenv.Server, crew *crew) {
			if err := crew.m.c.rdb.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := testenv.StartRedis(t, testenv.Options{Durable: c.durable})
			crew := newCrew(t, server.URL)
			nodes := []*child{startNode(t, server.URL, "a"), startNode(t, server.URL, "b"), startNode(t, server.URL, "c")}
			crew.all(4)
			crew.wellFor("at first", nodeSilence+nodeBeats)
			c.happens(t, server, crew)
			crew.wellFor("afterwards", nodeSilence+2*time.Second)
			crew.all(4)
			for _, n := range nodes {
				if n.returned() {
					t.Errorf("%s was declared dead", n.name)
				}
			}
			if took := crew.killed(nodes[0]); took > 2*time.Second {
				t.Errorf("later one fell %s after it was killed", took)
			}
		})
	}
}
