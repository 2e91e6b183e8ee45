package redis

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestEnough(t *testing.T) {
	of := func(sizes ...int) (states []persistence.State) {
		for _, size := range sizes {
			states = append(states, persistence.State{JSON: make([]byte, size)})
		}
		return states
	}
	for _, c := range []struct {
		states []persistence.State
		want   int
	}{
		{of(1), 1},
		{of(publishBytes+1, 1), 1}, // one that is too large goes alone
		{of(1, publishBytes), 1},
		{of(1, publishBytes-1, 1), 2},
		{of(make([]int, persistence.MaxBatch+1)...), persistence.MaxBatch},
	} {
		if got := enough(c.states); got != c.want {
			t.Errorf("of %d states %d are enough, want %d", len(c.states), got, c.want)
		}
	}
}

// TestPublishIsOneTransaction, so that a server which writes its log to disk before it answers does so once for a batch: it does so
// after each piece of a pipeline that it has read.
func TestPublishIsOneTransaction(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{Durable: true})
	c := connect(t, Config{URL: server.URL})
	transactions := func() string {
		text, err := c.rdb.Info(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "cmdstat_exec:calls=") {
				calls, _, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_exec:calls="), ",")
				return calls
			}
		}
		return "0"
	}
	if err := c.Bus("node-a").Publish(t.Context(), manyStates(persistence.MaxBatch, 1000)); err != nil {
		t.Fatal(err)
	}
	if got := transactions(); got != "1" {
		t.Errorf("%s transactions for one batch, want 1", got)
	}
}

// TestPublishInParts publishes more than one transaction takes, to another node and to the keys.
func TestPublishInParts(t *testing.T) {
	config := Config{URL: startedRedis(t)}
	ctx, cancel := context.WithCancel(t.Context())
	var heard record
	defer heard.finished.Wait()
	defer cancel()
	heard.subscribe(t, ctx, connect(t, config).Bus("node-b"))
	states := append(manyStates(persistence.MaxBatch+10, 100), manyStates(3, publishBytes/2)...)
	for i := range states {
		states[i].ID = job.ID{1, byte(i >> 8), byte(i)}
	}
	bus := connect(t, config).Bus("node-a")
	if err := bus.Publish(ctx, states); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all states", func() bool { return heard.count(&heard.states) == len(states) })
	if gaps := heard.count(&heard.gaps); gaps > 0 {
		t.Errorf("%d gaps", gaps)
	}
	ids := make([]job.ID, len(states))
	for i := range ids {
		ids[i] = states[i].ID
	}
	last, err := bus.Last(ctx, ids)
	if err != nil {
		t.Fatal(err)
	}
	for i := range last {
		if !bytes.Equal(last[i], states[i].JSON) {
			t.Fatalf("the last state of job %d has %d bytes, want %d", i, len(last[i]), len(states[i].JSON))
		}
	}
}

func manyStates(n, size int) []persistence.State {
	states := make([]persistence.State, n)
	for i := range states {
		states[i] = persistence.State{ID: job.ID{2, byte(i >> 8), byte(i)}, JSON: bytes.Repeat([]byte{'1'}, size)}
	}
	return states
}
