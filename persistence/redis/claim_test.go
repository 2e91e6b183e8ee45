package redis

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestGhostsLeaseNothing(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	entries := fresh(t, 3)
	enqueue(t, in, entries)
	for range 3 { // three ghosts of the first
		if err := in.Remove(t.Context(), "films", []job.ID{entries[0].ID}); err != nil {
			t.Fatal(err)
		}
		enqueue(t, in, entries[:1])
	}
	if d := depth(t, in); d.Waiting != 3 || !d.Oldest.Equal(entries[1].ID.Time()) {
		t.Errorf("depth %+v, want 3 waiting and the second at the head", d)
	}
	if got := claim(t, in, 1); len(got) != 1 || got[0].ID != entries[1].ID {
		t.Errorf("claimed %v first, want the second", got)
	}
	if got := claim(t, in, 9); len(got) != 2 || got[1].ID != entries[0].ID {
		t.Errorf("claimed %v then, want the third and the first", got)
	}
	if left, err := in.c.rdb.HLen(t.Context(), in.c.config.Prefix+"ghosts:{films}").Result(); err != nil || left != 0 {
		t.Errorf("%d ghosts are left (%v)", left, err)
	}
}

// TestStrayElement puts ids into a list that nothing accounts for, as a fault of the server or an operator may.
func TestStrayElement(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	entries := fresh(t, 2)
	enqueue(t, in, entries)
	stray := []any{entries[0].ID.String(), entries[0].ID.String(), "nonsense", job.ID{9}.String()}
	if err := in.c.rdb.LPush(t.Context(), in.c.config.Prefix+"inbox:{films}:1", stray...).Err(); err != nil {
		t.Fatal(err)
	}
	if got := claim(t, in, 9); len(got) != 2 {
		t.Errorf("%d claims of 2 jobs", len(got))
	}
	if got := claim(t, in, 9); len(got) != 0 {
		t.Errorf("%d claims of jobs that are leased", len(got))
	}
}

func TestLostReplyLosesNoLease(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	enqueue(t, in, fresh(t, 10))
	in.keepNonce(claimer{"films", "node-a"}, "once")
	first := claim(t, in, 6)
	in.keepNonce(claimer{"films", "node-a"}, "once")
	again := claim(t, in, 6)
	byID := func(a, b persistence.Claim) int { return a.ID.Compare(b.ID) }
	slices.SortFunc(first, byID)
	slices.SortFunc(again, byID)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("a repeated claim got other jobs:\n%s", diff)
	}
	if got := claim(t, in, 6); len(got) != 4 {
		t.Errorf("the next claim got %d jobs, want 4", len(got))
	}
}

func TestLargeJobsComeInParts(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	const size, n = 256 << 10, 90
	entries := fresh(t, n)
	for i := range entries {
		entries[i].Envelope = bytes.Repeat([]byte{'a'}, size)
	}
	for i := 0; i < n; i += 10 {
		enqueue(t, in, entries[i:i+10])
	}
	got := 0
	for got < n {
		claims := claim(t, in, 500)
		if len(claims) == 0 || len(claims)*size > claimBytes+50*size {
			t.Fatalf("one claim got %d jobs of %d bytes", len(claims), size)
		}
		got += len(claims)
	}
}

// TestClaimCostsTheSameWhateverWaits compares the commands that a claim of 500 runs on the server.
func TestClaimCostsTheSameWhateverWaits(t *testing.T) {
	server := testenv.StartRedis(t, testenv.Options{})
	in := connect(t, Config{URL: server.URL}).Inbox()
	ran := func() map[string]string {
		if err := in.c.rdb.ConfigResetStat(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if got := claim(t, in, 500); len(got) != 500 {
			t.Fatalf("claimed %d", len(got))
		}
		text, err := in.c.rdb.Info(t.Context(), "commandstats").Result()
		if err != nil {
			t.Fatal(err)
		}
		calls := make(map[string]string)
		for line := range strings.Lines(text) {
			if name, rest, ok := strings.Cut(line, ":"); ok {
				calls[name], _, _ = strings.Cut(rest, ",")
			}
		}
		maps.DeleteFunc(calls, func(name, _ string) bool { return name == "cmdstat_info" || strings.HasPrefix(name, "cmdstat_config") })
		return calls
	}
	enqueue(t, in, fresh(t, 1000))
	few := ran()
	for range 100 {
		enqueue(t, in, fresh(t, 1000))
	}
	if diff := cmp.Diff(few, ran()); diff != "" {
		t.Errorf("a claim among 100,000 runs other commands than one among 1,000:\n%s", diff)
	}
	for name := range few {
		switch strings.TrimPrefix(name, "cmdstat_") {
		case "evalsha", "hlen", "zcard", "scard", "get", "time", "lpop", "hmget", "hset", "zadd", "set": // none walks what waits
		default:
			t.Errorf("a claim runs %s", name)
		}
	}
}

func TestForgottenLeaseComesBack(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	entries := fresh(t, 2)
	enqueue(t, in, entries)
	claims := claim(t, in, 2)
	before, err := in.Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := in.c.rdb.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if after, err := in.Generation(t.Context()); err != nil || after == before {
		t.Errorf("generation %q after the loss (%v), as before", after, err)
	}
	lease := persistence.Lease{ID: claims[0].ID, Token: claims[0].Token, Node: "node-a"}
	renewals, err := in.Renew(t.Context(), "films", []persistence.Lease{lease}, time.Hour)
	if err != nil || renewals[0].State != persistence.Forgotten {
		t.Errorf("renewed: %+v (%v), want forgotten", renewals, err)
	}
	entries[0].Token = claims[0].Token
	back, err := in.Restore(t.Context(), "films", "node-a", entries[:1], time.Hour)
	if err != nil || !back[0] {
		t.Errorf("restored: %v (%v)", back, err)
	}
	done, err := in.Settle(t.Context(), "films", []persistence.Settlement{{Lease: lease, Verb: persistence.Ack}})
	if err != nil || !done[0] {
		t.Errorf("settled: %v (%v)", done, err)
	}
}
