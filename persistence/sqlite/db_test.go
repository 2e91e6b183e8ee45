package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestAClosedDatabaseIsUnavailable(t *testing.T) {
	db := openForTest(t)
	watching := make(chan error)
	go func() { watching <- db.Store().Watch(t.Context(), nil) }()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-watching; !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("Watch: %v", err)
	}
	ctx, in, st := t.Context(), db.Inbox(), db.Store()
	calls := map[string]error{"Ping": in.Ping(ctx)}
	_, calls["Enqueue"] = in.Enqueue(ctx, "q", []persistence.Entry{{ID: job.ID{1}}})
	_, calls["Claim"] = in.Claim(ctx, "q", "node", persistence.Ask{Max: 1, Lease: time.Hour})
	_, calls["Depth"] = in.Depth(ctx, "q")
	_, calls["Generation"] = in.Generation(ctx)
	_, calls["Get"] = st.Get(ctx, []job.ID{{1}})
	_, calls["Queues"] = st.Queues(ctx)
	_, calls["Prune"] = st.Prune(ctx, time.Now(), 1)
	for name, err := range calls {
		if !errors.Is(err, persistence.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}

func TestADamagedFileIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "troupe.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database at all. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "damaged or no database") {
		t.Fatalf("it says %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), path) // the lock was given free
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

func TestSettingsHold(t *testing.T) {
	db := openForTest(t)
	pragma := func(c *connection, name string) (value string) {
		err := c.read(t.Context(), inline(name, "PRAGMA "+name), nil, func(r row) error { value = fmt.Sprint(r[0]); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	check := func(c *connection, queryOnly string) {
		for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "query_only": queryOnly} {
			if got := pragma(c, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	if err := db.writer.do(t.Context(), "look", 1, func(c *change) error { check(c.conn, "0"); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.readers.use(t.Context(), "look", func(c *connection) error { check(c, "1"); return nil }); err != nil {
		t.Fatal(err)
	}
}

// TestNobodyMeetsALockedDatabase has callers of every kind at work at once: no call fails, no job is given twice, and the counters are true.
func TestNobodyMeetsALockedDatabase(t *testing.T) {
	const workers, rounds, batch = 6, 30, 10
	db := openForTest(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	work := func(run func(rng *rand.Rand) error) {
		for n := range workers {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(n), 7))
				for range rounds {
					if err := run(rng); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	work(func(rng *rand.Rand) error { return enqueueSome(ctx, db, rng, batch) })
	work(func(rng *rand.Rand) error { return settleSome(ctx, db, rng, batch) })
	work(func(rng *rand.Rand) error {
		_, err1 := db.Store().List(ctx, persistence.Query{Texts: []string{"x"}, Limit: 5})
		_, err2 := db.Store().Live(ctx, job.ID{}, 5)
		_, err3 := db.Inbox().Depth(ctx, "films")
		_, err4 := db.Inbox().Reap(ctx, "films", batch)
		_, _, err5 := db.Inbox().Due(ctx, "films", batch)
		return errors.Join(err1, err2, err3, err4, err5)
	})
	wg.Wait()
	verifyCounters(t, db)
}

func enqueueSome(ctx context.Context, db *DB, rng *rand.Rand, batch int) error {
	var entries []persistence.Entry
	var writes []persistence.Write
	for range batch {
		id := randomID(rng)
		entries = append(entries, persistence.Entry{ID: id, Life: 1, Priority: rng.IntN(4), Envelope: []byte(`{}`)})
		j := job.New(job.Spec{ID: id, Kind: "k", Queue: "films", Policy: job.DefaultPolicy()}, time.Now())
		writes = append(writes, persistence.Write{Job: j, History: []job.Transition{j.FirstTransition()}})
	}
	_, err1 := db.Inbox().Enqueue(ctx, "films", entries)
	_, err2 := db.Store().Commit(ctx, writes)
	return errors.Join(err1, err2)
}

func settleSome(ctx context.Context, db *DB, rng *rand.Rand, batch int) error {
	claims, err := db.Inbox().Claim(ctx, "films", "node", persistence.Ask{Max: batch, Lease: time.Minute})
	if err != nil {
		return err
	}
	var settlements []persistence.Settlement
	for _, c := range claims {
		verb := persistence.Ack + persistence.Verb(rng.IntN(4))
		settlements = append(settlements, persistence.Settlement{Lease: persistence.Lease{ID: c.ID, Token: c.Token, Node: "node"}, Verb: verb, RunAt: time.Now()})
	}
	done, err := db.Inbox().Settle(ctx, "films", settlements)
	for n, ok := range done {
		if !ok {
			err = errors.Join(err, fmt.Errorf("job %s was somebody else's", settlements[n].Lease.ID))
		}
	}
	return err
}

func randomID(rng *rand.Rand) (id job.ID) {
	for i := range id {
		id[i] = byte(rng.Uint32())
	}
	return id
}
