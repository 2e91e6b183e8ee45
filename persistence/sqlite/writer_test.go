package sqlite

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
)

// hold keeps the writer inside a request until it is let go, so that what is sent meanwhile becomes one group.
func hold(t *testing.T, db *DB) (letGo func()) {
	t.Helper()
	begun, end := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.writer.do(context.Background(), "hold", 1, func(*change) error {
			close(begun)
			<-end
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	return func() {
		close(end)
		wg.Wait()
	}
}

// TestABadRequestFailsAlone sends one that fails after it has written, between good ones, all in one group.
func TestABadRequestFailsAlone(t *testing.T) {
	db := openForTest(t)
	errBad := errors.New("bad")
	letGo := hold(t, db)
	const requests, bad = 9, 4
	var wg sync.WaitGroup
	failures := make([]error, requests)
	for n := range requests {
		wg.Go(func() {
			failures[n] = db.writer.do(t.Context(), "test", 1, func(c *change) error {
				q := c.queue("films")
				if _, err := c.insert(q, &persistence.Entry{ID: [16]byte{byte(n)}, Life: 1}, waiting, 0, ""); err != nil {
					return err
				}
				c.wake(q)
				if n == bad {
					return errBad
				}
				return nil
			})
		})
	}
	for len(db.writer.requests) < requests {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	letGo()
	wg.Wait()
	for n, err := range failures {
		if (n == bad) != errors.Is(err, errBad) || n != bad && err != nil {
			t.Errorf("request %d: %v", n, err)
		}
	}
	verifyCounters(t, db)
	if depth, err := db.Inbox().Depth(t.Context(), "films"); err != nil || depth.Waiting != requests-1 {
		t.Errorf("depth is %+v, %v: want %d waiting", depth, err, requests-1)
	}
}

// TestACallerThatGaveUpWritesNothing: what the writer has not begun is undone by the end of its context.
func TestACallerThatGaveUpWritesNothing(t *testing.T) {
	db := openForTest(t)
	letGo := hold(t, db)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() {
		_, err := inbox{db}.Enqueue(ctx, "films", []persistence.Entry{{ID: [16]byte{1}, Life: 1}})
		result <- err
	}()
	for len(db.writer.requests) == 0 {
		if t.Context().Err() != nil {
			t.Fatal(t.Context().Err())
		}
	}
	cancel()
	if err := <-result; !errors.Is(err, persistence.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("it says %v", err)
	}
	letGo()
	if err := db.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := db.queues.counts("films"); n.waiting != 0 {
		t.Errorf("%d jobs wait", n.waiting)
	}
}

// TestAFullDiskRefusesAndRecovers bounds the file's pages, which is how SQLite itself meets the end of a disk.
func TestAFullDiskRefusesAndRecovers(t *testing.T) {
	db := openForTest(t)
	bound := func(pages string) {
		err := db.writer.do(t.Context(), "bound", 1, func(c *change) error {
			return c.read(inline("bound", "PRAGMA max_page_count = "+pages), nil, func(row) error { return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bound("80")
	payload := []byte(strings.Repeat("x", 8<<10))
	accepted := 0
	var err error
	for n := 0; err == nil && n < 100; n++ {
		_, err = db.Inbox().Enqueue(t.Context(), "films", []persistence.Entry{{ID: [16]byte{1, byte(n)}, Life: 1, Envelope: payload}})
		if err == nil {
			accepted++
		}
	}
	if !errors.Is(err, persistence.ErrFull) {
		t.Fatalf("after %d: %v, want ErrFull", accepted, err)
	}
	if n := db.queues.counts("films"); n.waiting != int64(accepted) {
		t.Errorf("%d wait, %d were accepted", n.waiting, accepted)
	}
	bound("100000")
	if _, err := db.Inbox().Enqueue(t.Context(), "films", []persistence.Entry{{ID: [16]byte{2}, Life: 1, Envelope: payload}}); err != nil {
		t.Errorf("with room again: %v", err)
	}
	verifyCounters(t, db)
}

var countEntries = inline("count", `SELECT q.name,
	(SELECT count(*) FROM inbox WHERE queue = q.n AND state = 1), (SELECT count(*) FROM inbox WHERE queue = q.n AND state = 2),
	(SELECT count(*) FROM inbox WHERE queue = q.n AND state = 3), (SELECT count(*) FROM inbox_dead WHERE queue = q.n),
	waiting, delayed, leased, dead FROM inbox_queues q`)

// verifyCounters counts every queue, and compares with what the counters say in memory and on disk.
func verifyCounters(t *testing.T, db *DB) {
	t.Helper()
	err := db.readers.read(t.Context(), "count", countEntries, nil, func(r row) error {
		n := db.queues.counts(r.text(0))
		memory := [4]int64{n.waiting, n.delayed, n.leased, n.dead}
		counted := [4]int64{r.int64(1), r.int64(2), r.int64(3), r.int64(4)}
		disk := [4]int64{r.int64(5), r.int64(6), r.int64(7), r.int64(8)}
		if memory != counted || disk != counted {
			t.Errorf("queue %s (waiting, delayed, leased, dead): counted %v, in memory %v, on disk %v", r.text(0), counted, memory, disk)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
