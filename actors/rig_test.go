package actors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// world is the outside that nodes share: one embedded database and one folder of artifacts.
type world struct {
	store     persistence.Store
	inbox     persistence.Inbox
	bus       func(node string) persistence.Bus
	artifacts persistence.Artifacts
}

func embedded(t *testing.T) world {
	t.Helper()
	return embeddedIn(t, t.TempDir())
}

func embeddedIn(t *testing.T, folder string) world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, "troupe.db"))
	if err != nil {
		t.Fatal(err)
	}
	artifacts, err := local.OpenArtifacts(filepath.Join(folder, "artifacts"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(db.Close(), artifacts.Close()); err != nil {
			t.Error(err)
		}
	})
	return world{db.Store(), db.Inbox(), func(node string) persistence.Bus { return local.NewBus(node) }, artifacts}
}

// node is an App under test.
type node struct {
	*actors.App
	t        *testing.T
	world    world
	registry *prometheus.Registry
}

var nodes atomic.Int64

// start starts a node with the handlers. Options change its configuration first. The node is closed at the end of the test.
func (w world) start(t *testing.T, handlers map[string]actors.Handler, options ...func(*actors.Config)) *node {
	t.Helper()
	name := fmt.Sprintf("node-%d", nodes.Add(1))
	registry := prometheus.NewRegistry()
	config := actors.Config{
		Node: name, Store: w.store, Inbox: w.inbox, Bus: w.bus(name), Artifacts: w.artifacts, Metrics: registry, Lease: 10 * time.Second,
		Queues: []actors.Queue{{Name: "default", Concurrency: 50}, {Name: "safe", Concurrency: 10, StoreFirst: true}},
		Log:    slog.New(slog.DiscardHandler), CancelGrace: 300 * time.Millisecond,
	}
	if os.Getenv("TROUPE_TEST_LOG") != "" {
		config.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	for _, option := range options {
		option(&config)
	}
	app, err := actors.New(config)
	if err != nil {
		t.Fatal(err)
	}
	for kind, h := range handlers {
		app.Handle(kind, h)
	}
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	return &node{app, t, w, registry}
}

// hasty makes a node's lease so short that a test can sit through its end.
func hasty(c *actors.Config) { c.Lease = 2 * time.Second }

// quick is a policy whose waits a test can sit through.
var quick = job.Policy{MaxAttempts: 3, Backoff: job.Backoff{Base: job.Duration(20 * time.Millisecond), Max: job.Duration(200 * time.Millisecond)}}

func (n *node) submit(kind string, payload any, change ...func(*actors.Submission)) job.ID {
	n.t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		n.t.Fatal(err)
	}
	s := actors.Submission{Kind: kind, Payload: data, Policy: quick}
	for _, c := range change {
		c(&s)
	}
	accepted, err := n.Submit(n.t.Context(), s)
	if err != nil {
		n.t.Fatalf("submit %s: %v", kind, err)
	}
	return accepted.Job.ID
}

// await waits until the job is in the status, and answers it as the store has it.
func (n *node) await(id job.ID, want job.Status) job.Job {
	n.t.Helper()
	var last job.Job
	n.eventually(fmt.Sprintf("job %s is %s", id, want), func() bool {
		records, err := n.world.store.Get(context.Background(), []job.ID{id})
		if err != nil || len(records) == 0 {
			return false
		}
		last = records[0].Job
		if last.Status != want && last.Status.Terminal() {
			n.t.Fatalf("job %s is %s (%+v), want %s", id, last.Status, last.Failure, want)
		}
		return last.Status == want
	})
	return last
}

func (n *node) eventually(what string, yes func() bool) {
	n.t.Helper()
	eventually(n.t, what, yes)
}

func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !yes(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// events are the names of a job's history.
func (n *node) events(id job.ID) []string {
	n.t.Helper()
	history, err := n.History(n.t.Context(), id)
	if err != nil {
		n.t.Fatal(err)
	}
	var names []string
	for _, h := range history {
		names = append(names, h.Event)
	}
	return names
}

// emptied waits until the inbox holds nothing.
func (n *node) emptied(queue string) {
	n.t.Helper()
	n.eventually("the inbox is empty", func() bool {
		d, err := n.world.inbox.Depth(context.Background(), queue)
		return err == nil && d.Waiting+d.Leased+d.Delayed == 0
	})
}
