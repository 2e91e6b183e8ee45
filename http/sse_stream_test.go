package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/meta-ad-studio/troupe/actors/job"
)

func TestStreamOfOneJob(t *testing.T) {
	rig := newRig(t, nil)
	id := rig.submit(`{"kind":"gate"}`)
	rig.await(id, job.Processing)
	w := watch(t, rig.URL, "/v1/jobs/"+id.String()+"/stream")
	c := w.connect(limited(t))
	defer c.close()
	for header, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no",
	} {
		if got := c.resp.Header.Get(header); got != want {
			t.Errorf("%s: %q", header, got)
		}
	}
	if ms, err := strconv.Atoi(c.parser.retry); err != nil || ms < 1000 || ms > 3000 {
		t.Errorf("retry %q", c.parser.retry)
	}
	if c.hello.Proto != 1 || c.hello.Mode != "snapshot" || c.hello.Beat != 15000 || c.hello.MaxAge < 540000 || c.hello.MaxAge > 600000 ||
		!strings.HasPrefix(w.lastID, c.hello.Epoch+"-") {
		t.Errorf("hello %+v, id %s", c.hello, w.lastID)
	}
	c.until(eventReady)
	if got := w.state[id]; got.Status != "processing" {
		t.Errorf("at ready: %+v", got)
	}
	rig.release <- struct{}{}
	end := endOf(t, c.until(eventEnd))
	if end.Reason != "done" || end.Resume || !w.state[id].Terminal {
		t.Errorf("end %+v, state %+v", end, w.state[id])
	}
	if _, err := c.parser.next(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	// A browser comes back with the last id: 204 tells it to stay away, at this node and at any other.
	again := w.dial(limited(t))
	again.close()
	if again.resp.StatusCode != http.StatusNoContent {
		t.Errorf("again: %d", again.resp.StatusCode)
	}
	foreign := watch(t, rig.URL, w.path)
	foreign.lastID = "other" + w.lastID[strings.Index(w.lastID, "-"):]
	if again := foreign.dial(limited(t)); again.resp.StatusCode != http.StatusNoContent {
		t.Errorf("with another node's id: %d", again.resp.StatusCode)
	}
	if r := do(t, rig.Server, "GET", w.path+"?known="+strconv.FormatInt(w.seen[id], 10), ""); r.StatusCode != http.StatusNoContent {
		t.Errorf("known: %d", r.StatusCode)
	}
	// Who has not seen the end gets it, and nothing else.
	late := watch(t, rig.URL, w.path)
	c = late.connect(limited(t))
	defer c.close()
	c.until(eventEnd)
	if !slices.Equal(c.names, []string{eventHello, eventJob, eventReady, eventEnd}) || !late.state[id].Terminal {
		t.Errorf("late: %v", c.names)
	}
}

func TestTheEndComesWithALargerVersionOnly(t *testing.T) {
	rig := newRig(t, nil)
	id := rig.submit(`{"kind":"boom"}`)
	rig.await(id, job.Failed)
	w := watch(t, rig.URL, "/v1/jobs/"+id.String()+"/stream")
	c := w.connect(limited(t))
	c.until(eventEnd)
	c.close()
	do(t, rig.Server, "POST", "/v1/jobs/"+id.String()+"/retry", "")
	c = w.connect(limited(t)) // a new life: the old end does not count
	defer c.close()
	c.until(eventEnd)
	if got := w.state[id]; !got.Terminal || got.Rev < 2*job.RevsPerToken {
		t.Errorf("%+v", got)
	}
}

func TestStreamRefuses(t *testing.T) {
	rig := newRig(t, nil)
	for path, status := range map[string]int{
		"/v1/stream?topic=nonsense": 422, "/v1/stream?topic=owner:a/b": 422, "/v1/stream?topics=all": 422, "/v1/stream?topic=job:x": 422,
		"/v1/jobs/nonsense/stream": 404, "/v1/jobs/" + (job.ID{0, 7}).String() + "/stream": 404,
		"/v1/stream?" + strings.Repeat("topic=owner:"+strings.Repeat("x", 9)+"&", 501): 413,
	} {
		if r := do(t, rig.Server, "GET", path, ""); r.StatusCode != status {
			t.Errorf("%.60s: %d, want %d", path, r.StatusCode, status)
		}
	}
	for _, body := range []string{`{"topic":["all"]}`, `{"known":{"x":1}}`, `{"topics":"all"}`, `[]`} {
		if r := do(t, rig.Server, "POST", "/v1/stream", body); r.StatusCode != 422 {
			t.Errorf("%s: %d", body, r.StatusCode)
		}
	}
}

func TestHeartbeatAndMaxAge(t *testing.T) {
	rig := newRig(t, func(c *Config) {
		c.Streams = StreamLimits{Heartbeat: 30 * time.Millisecond, MaxAge: 400 * time.Millisecond}
	})
	c := watch(t, rig.URL, "/v1/stream?topic=all").connect(limited(t))
	defer c.close()
	c.until(eventReady)
	id := c.lastID
	if beat := c.next(); beat.name != eventBeat || beat.id != id || !strings.Contains(beat.data, `"now":"`) {
		t.Errorf("%+v", beat)
	}
	if end := endOf(t, c.until(eventEnd)); end.Reason != "max_age" || !end.Resume || end.Retry > 500 {
		t.Errorf("%+v", end)
	}
}

func TestStreamsAreCapped(t *testing.T) {
	rig := newRig(t, func(c *Config) { c.Streams.PerIP = 2 })
	ctx, cancel := context.WithCancel(limited(t))
	for range 2 {
		defer watch(t, rig.URL, "/v1/stream").connect(ctx).close()
	}
	r := do(t, rig.Server, "GET", "/v1/stream", "")
	if p := r.problem(t); p.Status != 429 || p.Code != "too_many" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%+v", p)
	}
	cancel()
	waitFor(t, "places to be given up", func() bool {
		rig.handler.streams.mu.Lock()
		defer rig.handler.streams.mu.Unlock()
		return len(rig.handler.streams.open) == 0 && len(rig.handler.streams.byPlace) == 0
	})
}

// P12: each stream gets a last word, within the window, and new ones are sent elsewhere.
func TestDrain(t *testing.T) {
	rig := newRig(t, nil)
	server, address := start(t, rig.handler, ServerConfig{})
	const n = 20
	ends := make(chan endData, n)
	for range n {
		c := watch(t, "http://"+address, "/v1/stream?topic=all").connect(limited(t))
		defer c.close()
		c.until(eventReady)
		go func() {
			e, err := c.parser.next()
			if err != nil {
				t.Error(err)
			}
			ends <- endOf(t, e)
		}()
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if took := time.Since(began); took > 1800*time.Millisecond {
		t.Errorf("it took %s; the window was one second", took)
	}
	retries := map[int64]bool{}
	for range n {
		end := <-ends
		if end.Reason != "drain" || !end.Resume || end.Retry < 1000 || end.Retry > 5000 {
			t.Errorf("%+v", end)
		}
		retries[end.Retry] = true
	}
	if len(retries) < n/2 {
		t.Errorf("%d clients come back at %d moments", n, len(retries))
	}
	r := do(t, rig.Server, "GET", "/v1/stream", "")
	if r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a new stream while draining: %d", r.StatusCode)
	}
}

// P8: who does not read is cut off, and others notice nothing.
func TestAStalledReaderHoldsUpNobody(t *testing.T) {
	rig := newRig(t, func(c *Config) { c.Streams.WriteTimeout = 300 * time.Millisecond })
	server, err := NewServer(rig.handler, ServerConfig{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(tightListener{plain})
	t.Cleanup(func() { _ = server.http.Close() })
	stalled, err := net.Dial("tcp", plain.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	_ = stalled.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err := io.WriteString(stalled, "GET /v1/stream?topic=all HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// And it reads no more. The brisk one never stops.
	brisk := watch(t, rig.URL, "/v1/stream?topic=all").connect(limited(t))
	defer brisk.close()
	brisk.until(eventReady)
	ended := make(chan job.ID, 5000)
	go func() {
		defer close(ended)
		for {
			e, ok := brisk.tryNext()
			if !ok || e.name == eventEnd {
				return
			}
			var j jobData
			if e.name == eventJob && json.Unmarshal([]byte(e.data), &j) == nil && j.Terminal {
				ended <- j.ID
			}
		}
	}()
	cut := func() bool {
		return testutil.ToFloat64(rig.handler.metrics.closed.WithLabelValues("write_timeout")) == 1
	}
	batch := strings.Repeat(`{"kind":"echo"}`+"\n", 100)
	for deadline := time.Now().Add(20 * time.Second); !cut(); {
		if time.Now().After(deadline) {
			t.Fatal("the stalled reader was never cut off")
		}
		began := time.Now()
		if r := do(t, rig.Server, "POST", "/v1/jobs/batch", batch); r.StatusCode != 202 {
			t.Fatalf("%d %.200s", r.StatusCode, r.body)
		}
		for n := 0; n < 100; n++ {
			select {
			case _, ok := <-ended:
				if !ok {
					t.Fatal("the brisk reader was cut off")
				}
			case <-time.After(15 * time.Second):
				t.Fatalf("the brisk reader waits: %d of 100 ends after %s", n, time.Since(began))
			}
		}
	}
	brisk.close()
	for range ended { // until its goroutine is done
	}
}

// tightListener's connections hold little that was not read.
type tightListener struct{ net.Listener }

func (l tightListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		err = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
	}
	return conn, err
}

// One frame is one Write: nothing in between can be cut by a deadline, and a proxy passes it on whole.
func TestOneFrameIsOneWrite(t *testing.T) {
	rig := newRig(t, nil)
	id := rig.submit(`{"kind":"steps"}`)
	rec := &frames{header: http.Header{}}
	req, err := http.NewRequestWithContext(limited(t), "GET", "http://localhost/v1/jobs/"+id.String()+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.RemoteAddr = "127.0.0.1:1"
	rig.handler.ServeHTTP(rec, req)
	whole := regexp.MustCompile(`^(retry: \d+\n)?(id: [^\n]+\n)?event: [a-z]+\ndata: [^\r\n]*\n\n$`)
	for _, written := range rec.writes {
		if !whole.Match(written) {
			t.Errorf("a write of %q", written)
		}
	}
	if len(rec.writes) < 4 || rec.flushes == 0 {
		t.Errorf("%d writes, %d flushes", len(rec.writes), rec.flushes)
	}
}

type frames struct {
	header  http.Header
	writes  [][]byte
	flushes int
}

func (f *frames) Header() http.Header { return f.header }
func (f *frames) WriteHeader(int)     {}
func (f *frames) FlushError() error   { f.flushes++; return nil }
func (f *frames) Write(p []byte) (int, error) {
	f.writes = append(f.writes, bytes.Clone(p))
	return len(p), nil
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-time.After(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
