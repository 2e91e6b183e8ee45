package redis

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func parkAll(t *testing.T, in *Inbox, claims []persistence.Claim, name string) {
	t.Helper()
	settlements := make([]persistence.Settlement, len(claims))
	for i, c := range claims {
		settlements[i] = persistence.Settlement{Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node-a"}, Verb: persistence.Park, For: name}
	}
	done, err := in.Settle(t.Context(), "films", settlements)
	if err != nil || slices.Contains(done, false) {
		t.Fatalf("parked: %v (%v)", done, err)
	}
}

// TestParkingLeavesNothing looks at the keys that are left once every parked job has ended, by each way that a parked job can go.
func TestParkingLeavesNothing(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name() + "/"}).Inbox()
	entries := fresh(t, 30)
	enqueue(t, in, entries)
	for i, c := range claim(t, in, 30) {
		parkAll(t, in, []persistence.Claim{c}, "kind-"+string(rune('a'+i%10)))
	}
	ids := make([]job.ID, len(entries))
	for i := range entries {
		ids[i] = entries[i].ID
	}
	if err := in.Remove(t.Context(), "films", ids[:10]); err != nil {
		t.Fatal(err)
	}
	for i := range entries[10:20] {
		entries[10+i].Life = 2
	}
	enqueue(t, in, entries[10:20])
	can := persistence.Ask{Max: 30, Lease: time.Hour}
	for _, r := range "abcdefghij" {
		can.Can = append(can.Can, "kind-"+string(r))
	}
	claims, err := in.Claim(t.Context(), "films", "node-a", can)
	if err != nil || len(claims) != 20 {
		t.Fatalf("claimed %d of the 20 that are left (%v)", len(claims), err)
	}
	acks := make([]persistence.Settlement, len(claims))
	for i, c := range claims {
		acks[i] = persistence.Settlement{Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node-a"}, Verb: persistence.Ack}
	}
	if _, err := in.Settle(t.Context(), "films", acks); err != nil {
		t.Fatal(err)
	}
	keys, err := in.c.rdb.Keys(t.Context(), t.Name()+"/*{films}*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if !strings.Contains(key, "claim:{films}:") { // goes with its time
			t.Errorf("%s is left", key)
		}
	}
}

// TestStrayParked puts members among the parked ones that nothing accounts for: they lease nothing, and are dropped when they are met.
func TestStrayParked(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	entries := fresh(t, 3)
	enqueue(t, in, entries)
	claims := claim(t, in, 2)
	parkAll(t, in, claims[:1], "render")
	key := in.c.config.Prefix + "parked:{films}"
	for _, id := range []string{job.ID{9}.String(), claims[1].ID.String()} { // unknown, leased
		if err := in.c.rdb.Do(t.Context(), "zadd", key, 0, "render|1"+id).Err(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := in.Claim(t.Context(), "films", "node-b", persistence.Ask{Max: 9, Lease: time.Hour, Can: []string{"render"}})
	if err != nil || len(got) != 2 || got[0].ID != entries[0].ID || got[1].ID != entries[2].ID {
		t.Errorf("claimed %v (%v), want the parked one and the one that waits", got, err)
	}
	if n, err := in.c.rdb.Exists(t.Context(), key).Result(); err != nil || n != 0 {
		t.Errorf("something is left among the parked ones (%v)", err)
	}
}

// TestCutIsRememberedOnce looks for the mark that a claim leaves which its limit cut.
func TestCutIsRememberedOnce(t *testing.T) {
	in := connect(t, Config{URL: testenv.Redis(t), Prefix: t.Name()}).Inbox()
	key := in.c.config.Prefix + "cut:{films}"
	marked := func(want bool, after string) {
		t.Helper()
		left, err := in.c.rdb.PTTL(t.Context(), key).Result()
		if err != nil || (left > 0) != want || left > persistence.CutMemory {
			t.Errorf("after %s the mark lasts %s (%v), want one: %v", after, left, err, want)
		}
	}
	ask := func(limit int) []persistence.Claim {
		t.Helper()
		claims, err := in.Claim(t.Context(), "films", "node-a", persistence.Ask{Max: 5, Lease: time.Hour, Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}
	enqueue(t, in, fresh(t, 5))
	marked(false, "nothing")
	held := ask(3)
	marked(true, "a claim that was cut")
	end := func() {
		t.Helper()
		ack := []persistence.Settlement{{Lease: persistence.Lease{ID: held[0].ID, Token: held[0].Token, Node: "node-a"}, Verb: persistence.Ack}}
		if done, err := in.Settle(t.Context(), "films", ack); err != nil || !done[0] {
			t.Fatalf("settled: %v (%v)", done, err)
		}
		held = held[1:]
	}
	end()
	marked(false, "the settlement")
	held = append(held, ask(4)...)
	marked(false, "a claim of all that waited, though it came to the limit")
	end()
	if got := ask(4); len(got) != 0 {
		t.Errorf("claimed %d where none waited", len(got))
	}
	marked(false, "a claim of nothing")
}
