package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/sqlite"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// rig is a whole node behind a socket: jobs in a file, the bus on a Redis of the tests' own.
type rig struct {
	*httptest.Server
	t       *testing.T
	app     *actors.App
	handler *Handler
	metrics *prometheus.Registry
	release chan struct{} // each value lets one "gate" go on
}

// newRig starts one. Its kinds: echo, boom (fails for good), gate (waits for release), steps (much progress), files.
func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "troupe.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	client, err := redis.Open(t.Context(), redis.Config{URL: testenv.Redis(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	rig := &rig{t: t, metrics: prometheus.NewRegistry(), release: make(chan struct{})}
	name := fmt.Sprintf("n%d", time.Now().UnixNano())
	rig.app, err = actors.New(actors.Config{
		Node: name, Store: db.Store(), Inbox: db.Inbox(), Bus: client.Bus(name), Artifacts: folder(t.TempDir()), Metrics: rig.metrics,
		Queues: []actors.Queue{{Name: "default", Concurrency: 20}, {Name: "video", Concurrency: 2, StoreFirst: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rig.handle()
	if err := rig.app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rig.app.Close)
	cfg := Config{Node: rig.app, Name: name, Registerer: rig.metrics, Gatherer: rig.metrics}
	if change != nil {
		change(&cfg)
	}
	rig.handler = New(cfg)
	rig.Server = httptest.NewServer(rig.handler)
	t.Cleanup(func() {
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

// folder keeps artifacts as files, for the tests.
type folder string

type folderFile struct {
	*os.File
	info os.FileInfo
}

func (f folderFile) Size() int64         { return f.info.Size() }
func (f folderFile) Modified() time.Time { return f.info.ModTime() }

func (f folder) path(id job.ID, token int64, name string) string {
	return filepath.Join(string(f), fmt.Sprintf("%s-%d-%s", id, token, name))
}

func (f folder) Put(_ context.Context, id job.ID, token int64, name, media string, content io.Reader, limit int64) (job.Artifact, error) {
	data, err := io.ReadAll(io.LimitReader(content, limit))
	if err != nil {
		return job.Artifact{}, err
	}
	art := job.Artifact{Name: name, Type: media, Bytes: int64(len(data)), Token: token, ETag: fmt.Sprintf("%x", len(data))}
	return art, os.WriteFile(f.path(id, token, name), data, 0o600)
}

func (f folder) Open(_ context.Context, id job.ID, token int64, name string) (persistence.ArtifactFile, error) {
	file, err := os.Open(f.path(id, token, name))
	if err != nil {
		return nil, persistence.ErrNotFound
	}
	info, err := file.Stat()
	return folderFile{file, info}, err
}

func (f folder) Delete(context.Context, []job.ID) error { return nil }
