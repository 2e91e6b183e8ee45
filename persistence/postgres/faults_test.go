package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// TestLostAnswerIsAskedForAgain cuts the connection after the server has committed and before its answer arrives.
func TestLostAnswerIsAskedForAgain(t *testing.T) {
	direct := testenv.Postgres(t)
	p, through := newProxy(t, direct)
	s := open(t, Config{URL: through, ListenURL: direct})
	for range 10 {
		w := submitted(newJob())
		mustCommit(t, s, submitted(newJob())) // the connection stands and its statements are prepared
		p.cut.Store(true)
		mustCommit(t, s, w)
		if history, err := s.History(t.Context(), w.Job.ID); err != nil || len(history) != 1 {
			t.Fatalf("history of %d lines, error %v", len(history), err)
		}
		p.cut.Store(true)
		w = after(t, w.Job, job.Claimed{Token: 1, Node: "n"}, job.Succeeded{})
		mustCommit(t, s, w)
		if history, err := s.History(t.Context(), w.Job.ID); err != nil || len(history) != 3 {
			t.Fatalf("history of %d lines, error %v", len(history), err)
		}
	}
	if p.cuts.Load() != 20 {
		t.Errorf("%d answers were cut off", p.cuts.Load())
	}
}

func TestServerGoesAndComesBack(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.Options{Durable: true})
	s := open(t, Config{URL: server.URL, Timeout: 2 * time.Second})
	w := submitted(newJob())
	mustCommit(t, s, w)
	server.Kill()
	if _, err := s.Commit(t.Context(), []persistence.Write{submitted(newJob())}); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("commit without a server: %v", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("ping without a server: %v", err)
	}
	server.Start()
	mustCommit(t, s, w, submitted(newJob())) // at once, over connections that are dead
	server.Stop()
	server.Start()
	mustCommit(t, s, after(t, w.Job, job.Claimed{Token: 1, Node: "n"}))
}

func TestTerminatedSessionsAreReplaced(t *testing.T) {
	s := open(t, Config{})
	c := connect(t, s)
	for range 3 {
		mustCommit(t, s, submitted(newJob()))
		if _, err := c.Exec(t.Context(), `
			SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'troupe'`); err != nil {
			t.Fatal(err)
		}
	}
	mustCommit(t, s, submitted(newJob()))
}

func TestLockedRowIsUnavailableAndThenNot(t *testing.T) {
	s := open(t, Config{URL: testenv.Postgres(t) + "&lock_timeout=20ms"})
	w := submitted(newJob())
	mustCommit(t, s, w)
	w = after(t, w.Job, job.Claimed{Token: 1, Node: "n"})
	tx, err := connect(t, s).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "SELECT FROM jobs FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), []persistence.Write{w}); !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("commit to a locked row: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustCommit(t, s, w)
}

func TestSilentServerIsUnavailableInTime(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.Options{})
	s := open(t, Config{URL: server.URL})
	mustCommit(t, s, submitted(newJob()))
	server.Suspend()
	defer server.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := s.Commit(ctx, []persistence.Write{submitted(newJob())})
	if !errors.Is(err, persistence.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// TestConcurrentWritersAgreeOnAnOrder has writers commit the same jobs in different orders: each write is made by one
// of them, and nobody waits for the server to find a deadlock, which takes it a second.
func TestConcurrentWritersAgreeOnAnOrder(t *testing.T) {
	const writers, jobs, rounds = 6, 60, 20
	s := open(t, Config{})
	first := make([]persistence.Write, jobs)
	for i := range first {
		first[i] = submitted(newJob())
	}
	var all errgroup.Group
	for w := range writers {
		all.Go(func() error {
			node := string(rune('a' + w))
			for round := range rounds {
				writes := slices.Clone(first)
				asNew := rand.IntN(2) == 0 // the batch goes the way of new rows
				for i := range writes {
					writes[i] = after(t, writes[i].Job, job.Claimed{Token: int64(1 + round*writers + w), Node: node})
					if asNew && rand.IntN(2) == 0 {
						writes[i].History = append(slices.Clone(first[i].History), writes[i].History...)
					}
				}
				rand.Shuffle(len(writes), func(i, j int) { writes[i], writes[j] = writes[j], writes[i] })
				if _, err := s.Commit(t.Context(), writes); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, w := range first {
		if got := mustGet(t, s, w.Job.ID).Job; got.Token != writers*rounds {
			t.Fatalf("job %s ended under token %d, want %d", got.ID, got.Token, writers*rounds)
		}
	}
	var deadlocks int
	if err := connect(t, s).QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&deadlocks); err != nil {
		t.Fatal(err)
	}
	if deadlocks > 0 {
		t.Errorf("%d deadlocks in %d batches", deadlocks, writers*rounds)
	}
}

// A process that is stopped between a write and its commit holds the rows' locks for seconds, not for as long as it is stopped.
func TestStoppedWriterLetsGoOfItsRows(t *testing.T) {
	s := open(t, Config{})
	j := newJob()
	mustCommit(t, s, submitted(j))
	stopped := after(t, j, job.Claimed{Token: 1, Node: "a"})
	later := after(t, j, job.Claimed{Token: 2, Node: "b"})
	ctx := t.Context()
	err := s.once(ctx, func(ctx context.Context, c conn) error {
		p, err := c.pipeline(ctx, statements.update, statements.fences)
		if err != nil {
			return err
		}
		defer p.close()
		b, err := newBatch([]persistence.Write{stopped})
		if err != nil {
			return err
		}
		if missing, err := b.update(p, new(arrays)); err != nil || len(missing) > 0 {
			t.Errorf("%d rows are missing, %v", len(missing), err)
		}
		// Here it is stopped. Others get through.
		mustCommit(t, s, later)
		if err := p.sync(); err == nil {
			t.Error("it wakes and commits what was taken back")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := mustGet(t, s, j.ID).Job; got.Token != 2 || got.Node != "b" {
		t.Errorf("the row is of token %d and node %s", got.Token, got.Node)
	}
	mustCommit(t, s, submitted(newJob())) // the connection that was lost is not used again
}
