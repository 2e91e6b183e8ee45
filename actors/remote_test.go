package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func (n *node) told(request string) (answer struct {
	Node, Code, Error string
	Tree              *actors.ActorTree
	Job               *job.View
},
) {
	n.t.Helper()
	data, err := n.Remote(n.t.Context(), "another", []byte(request))
	if err != nil {
		n.t.Fatal(err)
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		n.t.Fatalf("%s: %v", data, err)
	}
	if answer.Node != n.Node() {
		n.t.Errorf("it answers as %q", answer.Node)
	}
	return answer
}

// What another node sends is read as what a stranger sends, and what this version does not know is refused.
func TestCommandsThatAreNoneAreRefused(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"obedient": obedient})
	id := n.submit("obedient", nil)
	n.await(id, job.Processing)
	long := strings.Repeat("x", job.MaxCancelReason+1)
	for request, want := range map[string]string{
		``: "invalid", `{`: "invalid", `[]`: "invalid", `{"op":7}`: "invalid", `{"op":"cancel","job":"x"}`: "invalid",
		`{}`: "unknown_op", `{"op":"reboot"}`: "unknown_op", `{"op":"` + strings.Repeat("y", 1000) + `"}`: "unknown_op",
		`{"op":"cancel"}`: "invalid", `{"op":"cancel","cancel":{}}`: "invalid", `{"op":"cancel","job":"` + id.String() + `"}`: "invalid",
		`{"op":"cancel","job":"` + id.String() + `","cancel":{"reason":"` + long + `"}}`: "invalid",
		strings.Repeat(" ", 300<<10): "invalid", `{"op":"drain"}`: "refused", `{"op":"ping","from":"the future"}`: "",
	} {
		if got := n.told(request); got.Code != want || len(got.Error) > 500 {
			t.Errorf("%.60q: %q (%.600s), want %q", request, got.Code, got.Error, want)
		}
	}
	if j, err := n.Get(t.Context(), id); err != nil || j.Status != job.Processing {
		t.Errorf("the job is %s, %v", j.Status, err)
	}
}

// A command reaches the actor of a job at once, and answers with what it made of it; one for a job that lives elsewhere finds nobody.
func TestACommandReachesTheActorOfAJob(t *testing.T) {
	n := embedded(t).start(t, map[string]actors.Handler{"obedient": obedient})
	id := n.submit("obedient", nil)
	n.await(id, job.Processing)
	command := func(id job.ID) string {
		return `{"op":"cancel","job":"` + id.String() + `","cancel":{"by":"ann","reason":"too costly","at":"2026-03-01T12:00:00Z"}}`
	}
	if got := n.told(command(n.submit("nobody", nil, func(s *actors.Submission) { s.Kind = "obedient"; s.RunAt = time.Now().Add(time.Hour) }))); got.Job != nil || got.Code != "" {
		t.Errorf("a job that lives nowhere: %+v", got)
	}
	got := n.told(command(id))
	want := job.ViewCancel{State: job.CancelRequest, Cancel: job.Cancel{By: "ann", Reason: "too costly", At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	if got.Job == nil || got.Job.Status != job.Cancelling || *got.Job.Cancel != want {
		t.Fatalf("%+v", got)
	}
	n.await(id, job.Cancelled)
	if tree := n.told(`{"op":"inspect"}`).Tree; tree == nil || tree.Node != n.Node() {
		t.Errorf("inspected: %+v", tree)
	}
}

// While neither bus nor inbox carry word, remoting does.
func TestCancelAndInspectionThroughRemotingAlone(t *testing.T) {
	w := embedded(t) // each node has a bus of its own
	holder := w.start(t, map[string]actors.Handler{"obedient": obedient})
	id := holder.submit("obedient", nil)
	holder.await(id, job.Processing)
	w.inbox = unheard{w.inbox}
	other := w.start(t, nil, func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "other"}}; c.Inbox = w.inbox })
	actors.Connect(holder.App, other.App)
	tree, err := other.ActorsOf(t.Context(), holder.Node(), id)
	if err != nil || tree.Node != holder.Node() || !strings.Contains(jsonOf(t, tree), id.String()) {
		t.Errorf("inspected: %+v, %v", tree, err)
	}
	j, err := other.Cancel(t.Context(), id, "ann", "too costly")
	if err != nil || j.CancelState() == job.CancelNone {
		t.Fatalf("%+v, %v", j, err)
	}
	if j := other.await(id, job.Cancelled); j.Cancel == nil || j.Cancel.By != "ann" || j.Cancel.Reason != "too costly" || j.Cancel.At.IsZero() {
		t.Errorf("cancelled as %+v", j.Cancel)
	}
	if _, err := other.ActorsOf(t.Context(), "nobody", job.ID{}); !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("inspecting nobody: %v", err)
	}
}

// unheard is an inbox that can't be told of requests to cancel, as one that is down.
type unheard struct{ persistence.Inbox }

// RequestCancel implements persistence.Inbox.
func (unheard) RequestCancel(context.Context, string, job.ID) error {
	return persistence.ErrUnavailable
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A node is drained through another one, once however often it is asked, and the log says who asked.
func TestANodeIsDrainedThroughAnother(t *testing.T) {
	w := embedded(t)
	var log syncBuffer
	asked := make(chan string, 10)
	a := w.start(t, nil, func(c *actors.Config) {
		c.OnDrain = func(by string) { asked <- by }
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	b := w.start(t, nil)
	if _, err := b.DrainNode(t.Context(), a.Node(), "ann"); !errors.Is(err, persistence.ErrUnavailable) && !errors.Is(err, persistence.ErrNotFound) {
		t.Errorf("without a way to it: %v", err)
	}
	actors.Connect(a.App, b.App)
	for range 3 {
		if way, err := b.DrainNode(t.Context(), a.Node(), "ann"); err != nil || way != actors.DrainDirect {
			t.Fatalf("%s, %v", way, err)
		}
	}
	if by := <-asked; by != "ann" {
		t.Errorf("asked by %q", by)
	}
	if way, err := a.DrainNode(t.Context(), "", "bob"); err != nil || way != actors.DrainDirect || len(asked) > 0 {
		t.Errorf("asked again: %s, %v, %d", way, err, len(asked))
	}
	if _, err := a.DrainNode(t.Context(), b.Node(), "ann"); !errors.Is(err, actors.ErrNoDrain) {
		t.Errorf("a node that can't be drained: %v", err)
	}
	if text := log.String(); !strings.Contains(text, "asked to drain") || !strings.Contains(text, "by=ann") || !strings.Contains(text, "from="+b.Node()) {
		t.Errorf("the log says %s", text)
	}
}

type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String is what was written.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
