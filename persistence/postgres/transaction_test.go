package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// watch collects what a store's Watch hears until the test ends.
func watch(t *testing.T, s *Store) <-chan job.ID {
	t.Helper()
	heard := make(chan job.ID, 1000)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(id job.ID) { heard <- id }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("watch ended with %v", err)
		}
	})
	listening(t, s, 1)
	return heard
}

func listening(t *testing.T, s *Store, sessions int) {
	t.Helper()
	c := connect(t, s)
	eventually(t, "a session listens", func() bool {
		var n int
		err := c.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'").Scan(&n)
		return err == nil && n == sessions
	})
}

func TestEnqueueBelongsToItsTransaction(t *testing.T) {
	s := open(t, Config{})
	heard := watch(t, s)
	db := connect(t, s)
	if _, err := db.Exec(t.Context(), "CREATE TABLE orders (id text PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	placeOrder := func(order string, fail error, jobs ...job.Job) error {
		return pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "INSERT INTO orders VALUES ($1)", order); err != nil {
				return err
			}
			if err := Enqueue(t.Context(), tx, jobs...); err != nil {
				return err
			}
			return fail
		})
	}
	undone, done := newJob(), []job.Job{newJob(), newJob()}
	changedMind := errors.New("changed my mind")
	if err := placeOrder("1", changedMind, undone); !errors.Is(err, changedMind) {
		t.Fatal(err)
	}
	if err := placeOrder("2", nil, done...); err != nil {
		t.Fatal(err)
	}
	for _, j := range done { // what is heard first shows that the undone one was not said
		if id := <-heard; id != j.ID {
			t.Errorf("heard of job %s, want %s", id, j.ID)
		}
		if r := mustGet(t, s, j.ID); r.Job.Status != job.Queued || r.Job.Kind != j.Kind {
			t.Errorf("got %+v", r)
		}
		if history, err := s.History(t.Context(), j.ID); err != nil || len(history) != 1 || history[0] != j.FirstTransition() {
			t.Errorf("history %+v, error %v", history, err)
		}
	}
	if records, err := s.Get(t.Context(), []job.ID{undone.ID}); err != nil || len(records) != 0 {
		t.Errorf("the undone job is there: %+v, error %v", records, err)
	}
	if err := placeOrder("3", nil, newJob(), done[0]); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("a job that is there already: %v", err)
	}
	var orders int
	if err := db.QueryRow(t.Context(), "SELECT count(*) FROM orders").Scan(&orders); err != nil || orders != 1 {
		t.Errorf("%d orders, error %v", orders, err)
	}
}

func TestWatchReconnects(t *testing.T) {
	direct := testenv.Postgres(t)
	p, through := newProxy(t, direct)
	s := open(t, Config{URL: direct, ListenURL: through})
	heard := watch(t, s)
	db := connect(t, &Store{config: Config{ListenURL: direct}})
	say := func() job.ID {
		j := newJob()
		if err := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error { return Enqueue(t.Context(), tx, j) }); err != nil {
			t.Fatal(err)
		}
		return j.ID
	}
	if want := say(); <-heard != want {
		t.Error("heard of another job")
	}
	p.hangUp()
	eventually(t, "it hears again", func() bool {
		say()
		select {
		case <-heard:
			return true
		default:
			return false
		}
	})
}
