package actors_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// parked waits until so many jobs of the queue wait under the name, and none is leased.
func (n *node) parked(queue, name string, want int64) {
	n.t.Helper()
	n.eventually("parked under "+name, func() bool {
		d, err := n.world.inbox.Depth(context.Background(), queue)
		return err == nil && d.Parked[name] == want && d.Leased == 0
	})
}

func TestJobWithoutAHandlerHereIsParkedForANodeThatHasOne(t *testing.T) {
	for name, w := range map[string]world{"embedded": embedded(t), "servers": onServers(t).world} {
		t.Run(name, func(t *testing.T) {
			knows := map[string]actors.Handler{"new": func(context.Context, *actors.Job) error { return nil }}
			old := w.start(t, knows)
			due := time.Now().Add(200 * time.Millisecond)
			id := old.submit("new", nil, func(s *actors.Submission) { s.RunAt = due })
			old.await(id, job.Scheduled)
			old.Close()
			ignorant := w.start(t, map[string]actors.Handler{"old": noop["noop"]})
			ignorant.parked("default", "new", 1)
			if j := ignorant.await(id, job.Scheduled); j.Token != 0 || j.Rev != 1 || len(ignorant.events(id)) != 1 {
				t.Errorf("something was written of it: %+v, %v", j, ignorant.events(id))
			}
			ignorant.await(ignorant.submit("old", nil), job.Completed) // it does not wait behind the other
			able := w.start(t, knows)
			if j := able.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 0 || j.Node != able.Node() {
				t.Errorf("%+v", j)
			}
			ignorant.parked("default", "new", 0)
			able.emptied("default")
			able.Close()
			ignorant.Close()
		})
	}
}

func TestAParkedJobCanBeCancelledWhereNobodyHasAHandler(t *testing.T) {
	w := embedded(t)
	old := w.start(t, noop)
	id := old.submit("noop", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(100 * time.Millisecond) })
	old.await(id, job.Scheduled)
	old.Close()
	ignorant := w.start(t, nil)
	ignorant.parked("default", "noop", 1)
	if _, err := ignorant.Cancel(t.Context(), id, "somebody", ""); err != nil {
		t.Fatal(err)
	}
	ignorant.await(id, job.Cancelled)
	ignorant.emptied("default")
}

// A job that a newer node has put into the inbox in a form which this build does not read waits there, byte for byte, for a newer node.
func TestAnEnvelopeOfANewerFormIsLeftIntact(t *testing.T) {
	w := embedded(t)
	newer := []byte(`{"form":2,"what":{"kind":["noop"]},"queue":{"name":"default"}}`)
	var entries []persistence.Entry
	for _, token := range []int64{0, 7} {
		entries = append(entries, persistence.Entry{ID: job.ID(uuid.Must(uuid.NewV7())), Life: 1, Token: token, Envelope: newer})
	}
	if _, err := w.inbox.Enqueue(t.Context(), "default", entries); err != nil {
		t.Fatal(err)
	}
	n := w.start(t, noop)
	n.parked("default", "form-2", 2)
	n.await(n.submit("noop", nil), job.Completed)
	if records, err := w.store.Get(t.Context(), []job.ID{entries[0].ID, entries[1].ID}); err != nil || len(records) > 0 {
		t.Errorf("the store was told of it: %v, %v", records, err)
	}
	claims, err := w.inbox.Claim(t.Context(), "default", "newer", persistence.Ask{Max: 10, Lease: time.Minute, Can: []string{"form-2"}})
	if err != nil || len(claims) != 2 {
		t.Fatalf("a newer node claims %v, %v", claims, err)
	}
	for _, cl := range claims {
		if !bytes.Equal(cl.Envelope, newer) || cl.Crashes != 0 {
			t.Errorf("it is %s, with %d crashes", cl.Envelope, cl.Crashes)
		}
	}
}
