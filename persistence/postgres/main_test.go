package postgres

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// open gives the test a store with an up-to-date schema.
func open(t testing.TB, config Config) *Store {
	t.Helper()
	if config.URL == "" {
		config.URL = testenv.Postgres(t)
	}
	s, err := Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// connect gives the test a plain connection to the store's database.
func connect(t testing.TB, s *Store) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), s.config.ListenURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

var lastID atomic.Uint32

// newID makes ids in ascending order.
func newID() job.ID {
	n, ms := lastID.Add(1), time.Now().UnixMilli()
	return job.ID{
		byte(ms >> 40), byte(ms >> 32), byte(ms >> 24), byte(ms >> 16), byte(ms >> 8), byte(ms), 0x70, 0, 0x80, 0, 0, 0,
		byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n),
	}
}

func newJob(change ...func(*job.Spec)) job.Job {
	spec := job.Spec{
		ID: newID(), Kind: "demo.noop", Queue: "default", Priority: 1, Payload: json.RawMessage(`{"n":1}`), Policy: job.DefaultPolicy(),
	}
	for _, c := range change {
		c(&spec)
	}
	return job.New(spec, time.Now())
}

// submitted is a job's first write.
func submitted(j job.Job) persistence.Write {
	return persistence.Write{Job: j, History: []job.Transition{j.FirstTransition()}}
}

// after is the write that follows when events befall a job.
func after(t testing.TB, j job.Job, events ...job.Event) persistence.Write {
	t.Helper()
	w := persistence.Write{}
	for _, e := range events {
		next, line, err := j.Apply(e, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		j = next
		if line != nil {
			w.History = append(w.History, *line)
		}
	}
	w.Job = j
	return w
}

// mustCommit commits writes, all of which must apply.
func mustCommit(t testing.TB, s *Store, writes ...persistence.Write) {
	t.Helper()
	outcomes, err := s.Commit(t.Context(), writes)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outcomes {
		if !o.Applied {
			t.Fatalf("write %d of job %s was refused: the row is under %+v", i, writes[i].Job.ID, o.Current)
		}
	}
}

func mustGet(t testing.TB, s *Store, id job.ID) persistence.Record {
	t.Helper()
	records, err := s.Get(t.Context(), []job.ID{id})
	if err != nil || len(records) != 1 {
		t.Fatalf("get job %s: %d records, error %v", id, len(records), err)
	}
	return records[0]
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come about: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
