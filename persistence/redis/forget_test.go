package redis

import (
	"errors"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
)

func TestForgetLeavesOtherPrefixes(t *testing.T) {
	url := startedRedis(t)
	other := connect(t, Config{URL: url, Prefix: "ab:"})
	if err := other.Inbox().Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := connect(t, Config{URL: url, Prefix: "[a]?*:"}) // as a pattern it would fit more than itself
	enqueue(t, c.Inbox(), fresh(t, 3))
	if err := c.Bus("node-a").Publish(t.Context(), manyStates(2*persistence.MaxBatch+1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := c.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys, err := c.rdb.Keys(t.Context(), "*").Result(); err != nil || len(keys) != 1 || keys[0] != "ab:ping" {
		t.Errorf("%d keys are left, among them %.3q (%v); want ab:ping", len(keys), keys, err)
	}
	if err := connect(t, Config{URL: url}).Forget(t.Context()); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("without a prefix: %v, want ErrInvalid", err)
	}
}

func TestProcessIsTheServers(t *testing.T) {
	c := connect(t, Config{URL: startedRedis(t)})
	if pid, err := c.Process(t.Context()); err != nil || pid <= 1 {
		t.Errorf("process %d (%v)", pid, err)
	}
}
