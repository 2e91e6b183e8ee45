package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestClusterMembers(t *testing.T) {
	url, _ := startCluster(t)
	storetest.Members(t, func(t *testing.T) func() persistence.Members {
		prefix := t.Name() + "/"
		return func() persistence.Members { return connect(t, Config{URL: url, Prefix: prefix}).Members() }
	}, storetest.MembersKill(kill, 3*time.Second))
}

// TestNobodyFallsWithTheClustersMaster: the one that has the list is killed and comes back.
func TestNobodyFallsWithTheClustersMaster(t *testing.T) {
	t.Parallel()
	url, servers := startCluster(t)
	crew := newCrew(t, url)
	nodes := []*child{startNode(t, url, "a"), startNode(t, url, "b")}
	crew.all(3)
	crew.wellFor("at first", nodeSilence+nodeBeats)
	master, err := crew.m.c.cluster.MasterForKey(t.Context(), crew.m.keys.members)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if s.Addr == master.Options().Addr {
			s.Kill()
			s.Start()
		}
	}
	crew.wellFor("afterwards", nodeSilence+5*time.Second)
	crew.all(3)
	for _, n := range nodes {
		if n.returned() {
			t.Errorf("%s was declared dead", n.name)
		}
	}
	if took := crew.killed(nodes[0]); took > 2*time.Second {
		t.Errorf("later one fell %s after it was killed", took)
	}
}

// beat beats for a node and wants no error.
func beat(t *testing.T, m *Members, name string, silence time.Duration) persistence.Roll {
	t.Helper()
	roll, err := m.Beat(t.Context(), node(name), silence)
	if err != nil {
		t.Fatal(err)
	}
	return roll
}

func fallenOf(t *testing.T, m *Members) []persistence.Fallen {
	t.Helper()
	all, err := m.Fallen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fell lets a node be silent until it falls.
func fell(t *testing.T, m *Members, name string) {
	t.Helper()
	beat(t, m, name, persistence.MinSilence)
	eventually(t, name+" falls", func() bool { return beat(t, m, "watch", time.Minute).Fallen })
}

// TestFullServerKeepsItsMembers: what keeps the nodes together must go on where nothing new is taken in.
func TestFullServerKeepsItsMembers(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{Args: []string{"--maxmemory", "1mb", "--maxmemory-policy", "noeviction"}})
	m := connect(t, Config{URL: server.URL}).Members()
	if err := m.c.Inbox().Ping(t.Context()); !errors.Is(err, persistence.ErrFull) {
		t.Fatalf("the server is not full: %v", err)
	}
	fell(t, m, "a")
	if err := m.Bury(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if roll := beat(t, m, "a", time.Minute); !roll.Returned {
		t.Errorf("after its burial it is told %+v", roll)
	}
	if err := m.AskDrain(t.Context(), "a", "ann"); err != nil {
		t.Error(err)
	}
	if roll := beat(t, m, "a", time.Minute); roll.DrainBy != "ann" {
		t.Errorf("it is told %+v", roll)
	}
	if err := m.Leave(t.Context(), "a"); err != nil {
		t.Error(err)
	}
	if all, err := m.List(t.Context()); err != nil || len(all) != 1 || all[0].Name != "watch" {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestReturnIsToldThoughItsAnswerWasLost: the beat that brings a node back is carried out, and nobody hears the answer.
func TestReturnIsToldThoughItsAnswerWasLost(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{})
	m := connect(t, Config{URL: server.URL}).Members()
	fell(t, m, "a")
	server.Suspend()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := m.Beat(ctx, node("a"), time.Minute); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("a beat at a suspended server: %v", err)
	}
	server.Resume()
	eventually(t, "the lost beat has been carried out", func() bool { return len(fallenOf(t, m)) == 0 })
	if roll := beat(t, m, "a", time.Minute); !roll.Returned {
		t.Errorf("the next beat is told %+v", roll)
	}
	if roll := beat(t, m, "a", time.Minute); roll.Returned {
		t.Errorf("the one after it is told %+v", roll)
	}
}

// TestSilenceAloneWithoutAPresence: nothing can be told from a channel that a node never heard.
func TestSilenceAloneWithoutAPresence(t *testing.T) {
	t.Parallel()
	const silence = 3 * time.Second
	for _, deaf := range []string{"a", "watch"} {
		t.Run(deaf, func(t *testing.T) {
			t.Parallel()
			url := testenv.StartRedis(t, testenv.Options{}).URL
			all := map[string]*Members{"a": connect(t, Config{URL: url}).Members(), "watch": connect(t, Config{URL: url}).Members()}
			all[deaf].close()
			began := time.Now()
			eventually(t, "the list is well", func() bool {
				beat(t, all["a"], "a", silence)
				beat(t, all["watch"], "watch", silence)
				return time.Since(began) > silence+100*time.Millisecond
			})
			if err := all["a"].c.Close(); err != nil {
				t.Fatal(err)
			}
			silent := time.Now()
			eventually(t, "it falls", func() bool { return beat(t, all["watch"], "watch", silence).Fallen })
			if took := time.Since(silent); took < silence {
				t.Errorf("it fell after %s", took)
			}
		})
	}
}

// TestClockIsSetBack: what was seen in what is now the future must not live until then.
func TestClockIsSetBack(t *testing.T) {
	m := connect(t, Config{URL: testenv.Redis(t)}).Members()
	beat(t, m, "a", persistence.MinSilence)
	epoch := beat(t, m, "watch", time.Minute).Epoch
	future := float64(time.Now().Add(time.Hour).UnixMicro())
	pipe := m.c.rdb.TxPipeline()
	pipe.HSet(t.Context(), m.keys.roll, "last", fmt.Sprintf("%.0f", future))
	pipe.ZAdd(t.Context(), m.keys.seen, goredis.Z{Score: future, Member: "a"})
	pipe.ZAdd(t.Context(), m.keys.silent, goredis.Z{Score: future, Member: "a"})
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if roll := beat(t, m, "watch", time.Minute); roll.Epoch != epoch || roll.Fallen {
		t.Errorf("then a beat is told %+v", roll)
	}
	all, err := m.List(t.Context())
	if err != nil || len(all) != 2 || time.Until(all[0].Seen) > time.Second {
		t.Errorf("%+v, %v", all, err)
	}
	eventually(t, "it falls", func() bool { return beat(t, m, "watch", time.Minute).Fallen })
}

// TestFallenAreForgotten: nobody buried them for a day.
func TestFallenAreForgotten(t *testing.T) {
	m := connect(t, Config{URL: testenv.Redis(t)}).Members()
	fell(t, m, "a")
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "young": 23 * time.Hour} {
		pipe := m.c.rdb.TxPipeline()
		pipe.ZAdd(t.Context(), m.keys.fallen, goredis.Z{Score: float64(time.Now().Add(-age).UnixMicro()), Member: name})
		pipe.HSet(t.Context(), m.keys.last, name, `{"name":"`+name+`"}`)
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	beat(t, m, "watch", time.Minute)
	var names []string
	for _, f := range fallenOf(t, m) {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "young a" {
		t.Errorf("fallen: %s", got)
	}
	if n := m.c.rdb.HLen(t.Context(), m.keys.last).Val(); n != 2 {
		t.Errorf("%d of them are described", n)
	}
}

// TestBeatCostsTheSame measures what the server takes for a beat, with few members and with many, each telling 1 KB.
func TestBeatCostsTheSame(t *testing.T) {
	m := connect(t, Config{URL: testenv.StartRedis(t, testenv.Options{}).URL}).Members()
	info := []byte(`{"x":"` + strings.Repeat("x", 1000) + `"}`)
	cost := func(members int) time.Duration {
		all := make([]persistence.Member, members)
		for i := range all {
			all[i] = node(fmt.Sprint("node-", i))
			all[i].Info = info
		}
		run := func(beats int) {
			for i := range beats {
				if _, err := m.Beat(t.Context(), all[i%members], time.Minute); err != nil {
					t.Fatal(err)
				}
			}
		}
		run(members)
		if err := m.c.rdb.ConfigResetStat(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		run(3000)
		text, err := m.c.rdb.Info(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			var calls int
			var total int64
			if n, _ := fmt.Sscanf(line, "cmdstat_evalsha:calls=%d,usec=%d", &calls, &total); n == 2 && calls > 0 {
				return time.Duration(total) * time.Microsecond / time.Duration(calls)
			}
		}
		t.Fatalf("no figures in %s", text)
		return 0
	}
	few, many := cost(3), cost(1000)
	t.Logf("a beat costs the server %s with 3 members, %s with 1000", few, many)
	if many > 3*few+50*time.Microsecond {
		t.Errorf("a beat costs the server %s with 3 members, %s with 1000", few, many)
	}
}
