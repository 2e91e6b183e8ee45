package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// world is what the nodes of a test share: jobs in a file, artifacts in a folder, and a bus on a Redis of the tests' own.
type world struct {
	t         *testing.T
	db        *sqlite.DB
	artifacts *local.Artifacts
	redis     redis.Config
	release   chan struct{} // each value lets one "gate" go on
}

var worlds atomic.Int64

func newWorld(t *testing.T, redisURL string) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "troupe.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	artifacts, err := local.OpenArtifacts(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = artifacts.Close() })
	// Channels are not bound to a database of Redis: the prefix keeps tests that run at once apart.
	return &world{t, db, artifacts, redis.Config{URL: redisURL, Prefix: fmt.Sprintf("w%d:", worlds.Add(1))}, make(chan struct{})}
}

// rig is a whole node behind a socket.
type rig struct {
	*httptest.Server
	*world
	app     *actors.App
	handler *Handler // the first
	current atomic.Pointer[Handler]
	config  Config
	metrics *prometheus.Registry
}

// replace has another handler of the same node serve, and drains the one before, as a deployment does.
func (r *rig) replace() {
	cfg := r.config
	cfg.Registerer, cfg.Gatherer = nil, nil
	r.current.Swap(New(cfg)).Drain(100 * time.Millisecond)
}

// newRig starts the only node of a world.
func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	return newWorld(t, testenv.Redis(t)).start(change, nil)
}

// start starts a node. Its kinds: echo, boom (fails for good), gate (waits for release), steps (much progress), files.
func (w *world) start(change func(*Config), changeApp func(*actors.Config)) *rig {
	w.t.Helper()
	return w.startKinds(change, changeApp, nil)
}

// startWith starts a node that has further kinds.
func (w *world) startWith(change func(*Config), kinds map[string]actors.Handler) *rig {
	w.t.Helper()
	return w.startKinds(change, nil, kinds)
}

func (w *world) startKinds(change func(*Config), changeApp func(*actors.Config), kinds map[string]actors.Handler) *rig {
	w.t.Helper()
	client, err := redis.Open(w.t.Context(), w.redis)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = client.Close() })
	rig := &rig{world: w, metrics: prometheus.NewRegistry()}
	name := fmt.Sprintf("n%d", time.Now().UnixNano())
	config := actors.Config{
		Node: name, Store: w.db.Store(), Inbox: w.db.Inbox(), Bus: client.Bus(name), Artifacts: w.artifacts, Metrics: rig.metrics,
		Members: client.Members(),
		Queues:  []actors.Queue{{Name: "default", Concurrency: 20}, {Name: "video", Concurrency: 2, StoreFirst: true}},
	}
	if changeApp != nil {
		changeApp(&config)
	}
	if rig.app, err = actors.New(config); err != nil {
		w.t.Fatal(err)
	}
	rig.handle()
	for kind, h := range kinds {
		rig.app.Handle(kind, h)
	}
	if err := rig.app.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(rig.app.Close)
	cfg := Config{Node: rig.app, Name: name, Registerer: rig.metrics, Gatherer: rig.metrics}
	if change != nil {
		change(&cfg)
	}
	rig.config, rig.handler = cfg, New(cfg)
	rig.current.Store(rig.handler)
	rig.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rig.current.Load().ServeHTTP(w, r) }))
	w.t.Cleanup(func() {
		rig.CloseClientConnections() // streams that a test left open
		rig.Close()
	})
	return rig
}

func (r *rig) handle() {
	echo := func(_ context.Context, j *actors.Job) error { return j.Result(j.Record().Payload) }
	r.app.Handle("echo", echo)
	r.app.Handle("video.generate", echo, actors.KindOptions{Queue: "video"})
	r.app.Handle("boom", func(context.Context, *actors.Job) error { return job.Permanent(errors.New("boom 17")) })
	r.app.Handle("gate", func(ctx context.Context, j *actors.Job) error {
		j.Progress(job.Progress{Percent: 10, Note: "at the gate"})
		select {
		case <-r.release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	r.app.Handle("steps", func(ctx context.Context, j *actors.Job) error {
		for i := range 100 {
			j.Progress(job.Progress{Percent: float64(i), Note: "line\r\none\ntwo\u2028"})
			if i%20 == 19 {
				select {
				case <-time.After(time.Millisecond): // so that not all of it falls together
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	r.app.Handle("files", func(ctx context.Context, j *actors.Job) error {
		for name, media := range map[string]string{"film.mp4": "video/mp4", "page.html": "text/html", "drawing.svg": "image/svg+xml", "odd": "no type"} {
			if _, err := j.Artifact(ctx, name, media, strings.NewReader("0123456789<script>"), 1<<20); err != nil {
				return err
			}
		}
		return nil
	})
}

// submit submits and answers the id.
func (r *rig) submit(body string) job.ID {
	r.t.Helper()
	var view job.View
	got := do(r.t, r.Server, "POST", "/v1/jobs", body)
	if got.StatusCode != 202 {
		r.t.Fatalf("submit %s: %d %s", body, got.StatusCode, got.body)
	}
	got.decode(r.t, &view)
	return view.ID
}

// await polls until the job is as wanted.
func (r *rig) await(id job.ID, want job.Status) job.View {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		var view job.View
		do(r.t, r.Server, "GET", "/v1/jobs/"+id.String(), "").decode(r.t, &view)
		if view.Status == want {
			return view
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("job %s is %s, want %s", id, view.Status, want)
		}
		<-time.After(5 * time.Millisecond) // between two looks
	}
}
