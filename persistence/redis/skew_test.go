package redis

import (
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// TestBackoffIsByTheServersClock: a due time goes to the server as how far it is ahead of the node's clock, which may be wrong, not as a time of day.
func TestBackoffIsByTheServersClock(t *testing.T) {
	const backoff = 10 * time.Minute
	in := connect(t, Config{URL: startedRedis(t)}).Inbox()
	enqueue(t, in, fresh(t, 1))
	c := claim(t, in, 1)[0]
	s := persistence.Settlement{
		Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node-a"}, Verb: persistence.Delay, RunAt: time.Now().Add(backoff),
	}
	if _, err := in.Settle(t.Context(), "films", []persistence.Settlement{s}); err != nil {
		t.Fatal(err)
	}
	its, err := in.c.rdb.Time(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	due, err := in.c.rdb.ZRangeWithScores(t.Context(), "delayed:{films}", 0, -1).Result()
	if err != nil || len(due) != 1 {
		t.Fatalf("delayed: %v, %v", due, err)
	}
	if wait := time.UnixMilli(int64(due[0].Score)).Sub(its); wait > backoff+time.Millisecond || wait < backoff-10*time.Second {
		t.Errorf("it waits %s, want %s", wait, backoff)
	}
	arguments := call{}
	s.RunAt = time.Now().Add(-time.Hour)
	arguments.runs([]persistence.Settlement{s})
	if got := arguments.texts[len(arguments.texts)-1]; got != "0" {
		t.Errorf("a due time in the past is %s ms ahead", got)
	}
}
