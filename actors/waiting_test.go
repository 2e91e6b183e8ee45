package actors_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// line is a node that runs one job at a time, and the gate that holds it.
func line(t *testing.T, options ...func(*actors.Config)) (*node, chan struct{}) {
	gate := make(chan struct{})
	handlers := map[string]actors.Handler{
		"gate": func(ctx context.Context, _ *actors.Job) error {
			select {
			case <-gate:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
		"short": func(context.Context, *actors.Job) error { time.Sleep(20 * time.Millisecond); return nil },
		"fails": func(context.Context, *actors.Job) error { return errors.New("no luck") },
	}
	one := func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "default", Concurrency: 1}} }
	return embedded(t).start(t, handlers, append(options, one)...), gate
}

func (n *node) waiting(id job.ID) actors.Waiting {
	n.t.Helper()
	w, err := n.Waiting(n.t.Context(), id)
	if err != nil {
		n.t.Fatal(err)
	}
	return w
}

func TestWhyAJobWaits(t *testing.T) {
	n, gate := line(t)
	for range 5 {
		n.await(n.submit("short", nil), job.Completed)
	}
	running := n.submit("gate", nil)
	n.await(running, job.Processing)
	var ids []job.ID
	for range 12 {
		ids = append(ids, n.submit("short", nil))
		n.await(ids[len(ids)-1], job.Queued)
	}
	later := n.submit("short", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(time.Hour) })
	n.eventually("all stand in line", func() bool { p := n.waiting(ids[11]).Position; return p != nil && *p == 12 })
	for _, c := range []struct {
		id     job.ID
		reason string
		at     int
		text   string
	}{
		{ids[0], "limit", 1, "It is next in line, and the queue default is at its limit (1 of 1 running)"},
		{ids[1], "position", 2, "It is 2nd in line"},
		{ids[10], "position", 11, "It is 11th in line"},
		{later, "scheduled", 0, "It is scheduled for "},
		{running, "none", 0, "It does not wait: it is processing."},
	} {
		w := n.waiting(c.id)
		if w.Reason != c.reason || (w.Position == nil) != (c.at == 0) || w.Position != nil && *w.Position != c.at || w.Capped || !strings.HasPrefix(w.Text, c.text) {
			t.Errorf("%+v, want %s %d %q", w, c.reason, c.at, c.text)
		}
	}
	// The eleventh waits for ten others and then runs: eleven runs of 20 ms or a little more.
	if eta := n.waiting(ids[10]).ETA; eta == nil || eta.P50 < 220 || eta.P50 > 11*500 || eta.P90 < eta.P50 {
		t.Errorf("the eleventh is expected to end in %+v ms", eta)
	}
	if eta := n.waiting(later).ETA; eta == nil || eta.P50 < 3_590_000 || eta.P50 > 3_610_000 {
		t.Errorf("the one in an hour is expected to end in %+v ms", eta)
	}
	if _, err := n.SetQueue(t.Context(), "default", func(q *persistence.QueueSettings) { q.Paused, q.Reason = true, "the GPUs are away" }); err != nil {
		t.Fatal(err)
	}
	if w := n.waiting(ids[3]); w.Reason != "paused" || w.Position != nil || !strings.Contains(w.Text, "is paused (the GPUs are away)") {
		t.Errorf("%+v", w)
	}
	if _, err := n.SetQueue(t.Context(), "default", func(q *persistence.QueueSettings) { q.Paused = false }); err != nil {
		t.Fatal(err)
	}
	close(gate)
	n.await(ids[11], job.Completed)
	failing := n.submit("fails", nil, func(s *actors.Submission) {
		s.Policy.Backoff.Base, s.Policy.Backoff.Max = job.Duration(time.Hour), job.Duration(time.Hour)
	})
	n.await(failing, job.Retrying)
	if w := n.waiting(failing); w.Reason != "backoff" || w.Until == nil || !strings.HasPrefix(w.Text, "Attempt 1 of 3 failed") {
		t.Errorf("%+v", w)
	}
	if _, err := n.Waiting(t.Context(), job.ID{0, 1}); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("of a job that is not there: %v", err)
	}
}

// counting counts what is read of queues, and fails on demand.
type counting struct {
	persistence.Store
	persistence.Inbox
	waits, depths atomic.Int64
	broken        atomic.Bool
}

type countingStore struct {
	persistence.Store
	*counting
}

func (c countingStore) Waiting(ctx context.Context, queue string, limit int) ([]job.ID, error) {
	c.waits.Add(1)
	if c.broken.Load() {
		return nil, persistence.ErrUnavailable
	}
	return c.Store.Waiting(ctx, queue, limit)
}

type countingInbox struct {
	persistence.Inbox
	*counting
}

func (c countingInbox) Depth(ctx context.Context, queue string) (persistence.Depth, error) {
	c.depths.Add(1)
	return c.Inbox.Depth(ctx, queue)
}

func TestManyWhoAskCostOneReadingASecond(t *testing.T) {
	var c counting
	n, gate := line(t, func(config *actors.Config) {
		config.Store, config.Inbox = countingStore{config.Store, &c}, countingInbox{config.Inbox, &c}
	})
	defer close(gate)
	n.await(n.submit("gate", nil), job.Processing)
	id := n.submit("short", nil)
	n.await(id, job.Queued)
	began := time.Now()
	for range 300 {
		n.waiting(id)
	}
	seconds := int64(time.Since(began)/time.Second) + 2
	if waits, depths := c.waits.Load(), c.depths.Load(); waits > seconds || depths > 2*seconds+2 {
		t.Errorf("300 answers in less than %d s took %d readings of the line and %d of the depth", seconds, waits, depths)
	}
	c.broken.Store(true)
	n.eventually("the outage is told", func() bool { return strings.Contains(n.waiting(id).Text, "database can't be read now") })
}
