package redis

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func startedRedis(t testing.TB) string { return testenv.StartRedis(t, testenv.Options{}).URL }

func TestCheckNamesWhatEndangersThePromises(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{Durable: true})
	c := connect(t, Config{URL: server.URL})
	if warnings, err := c.Check(t.Context()); err != nil || len(warnings) != 0 || !c.Durable() {
		t.Fatalf("a durable server: %v, durable %v (%v)", warnings, c.Durable(), err)
	}
	durable, err := c.Inbox().Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for setting, value := range map[string]string{"appendfsync": "everysec", "no-appendfsync-on-rewrite": "yes", "maxmemory-policy": "allkeys-lru"} {
		if err := c.rdb.ConfigSet(t.Context(), setting, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	warnings, err := c.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, w := range warnings {
		named = append(named, w.Setting)
	}
	if diff := cmp.Diff([]string{"appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"}, named); diff != "" || c.Durable() {
		t.Errorf("durable %v; warnings (-want +got):\n%s", c.Durable(), diff)
	}
	if weak, err := c.Inbox().Generation(t.Context()); err != nil || weak == durable {
		t.Errorf("generation %q does not depend on the run of a server that may lose data (%v)", weak, err)
	}
}

func TestOpenSaysWhy(t *testing.T) {
	for name, config := range map[string]Config{
		"no url":           {},
		"another scheme":   {URL: "postgres://127.0.0.1"},
		"braces in prefix": {URL: "redis://127.0.0.1:1", Prefix: "a{b}"},
	} {
		if _, err := Open(t.Context(), config); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := Open(t.Context(), Config{URL: "redis://127.0.0.1:1"}); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("nobody there: %v, want ErrUnavailable", err)
	}
}

func TestNamesThatCannotBeKept(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t)}).Inbox()
	if _, err := in.Known(t.Context(), "a{b}", nil); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("a queue's name with braces: %v", err)
	}
	if _, err := in.Claim(t.Context(), "films", "a|b", persistence.Ask{Max: 1, Lease: 1e9}); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("a node's name with a bar: %v", err)
	}
	if _, err := in.Enqueue(t.Context(), "films", make([]persistence.Entry, persistence.MaxBatch+1)); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("too many at once: %v", err)
	}
}
