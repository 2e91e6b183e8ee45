package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// watcher is a client that does its duty: it applies a state if and only if it is newer, remembers the last id, and
// checks what the contract promises. One goroutine uses it; others may ask what it was told.
type watcher struct {
	t      *testing.T
	base   string
	path   string
	token  string // borne, if there is one
	cookie string
	// forwarded is whom a proxy says it speaks for.
	forwarded string
	lastID    string
	onJob     func(jobData) // if set, sees each job event as it comes
	modes     map[string]int

	mu    sync.Mutex
	state map[job.ID]jobData
	seen  map[job.ID]int64     // the greatest rev ever applied
	all   map[job.ID][]jobData // what was applied, in order
}

// jobData is what the tests need of a job event.
type jobData struct {
	ID       job.ID `json:"id"`
	Rev      int64  `json:"rev"`
	Status   string `json:"status"`
	Terminal bool   `json:"terminal"`
	Progress struct {
		Percent float64 `json:"pct"`
	} `json:"progress"`
	Cancel struct {
		State string `json:"state"`
	} `json:"cancel"`
}

func watch(t *testing.T, base, path string) *watcher {
	return &watcher{
		t: t, base: base, path: path, modes: map[string]int{}, state: map[job.ID]jobData{}, seen: map[job.ID]int64{}, all: map[job.ID][]jobData{},
	}
}

// told is what the client knows of each job, as text.
func (w *watcher) told() map[job.ID]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := map[job.ID]string{}
	for id, j := range w.state {
		known[id] = fmt.Sprintf("%s at %d", j.Status, j.Rev)
	}
	return known
}

// knows says whether the client has seen the job end.
func (w *watcher) knows(id job.ID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state[id].Terminal
}

// connection is one connection of a watcher.
type connection struct {
	*watcher
	resp   *http.Response
	parser *parser
	revs   map[job.ID]int64 // sent on this connection
	names  []string         // events, in order
	hello  hello
	ready  bool
}

// connect opens a connection, with the last id if there is one, and reads the hello.
func (w *watcher) connect(ctx context.Context) *connection {
	w.t.Helper()
	c := w.dial(ctx)
	if c.resp.StatusCode != 200 {
		body, _ := io.ReadAll(c.resp.Body)
		c.close()
		w.t.Fatalf("%s: %d %s", w.path, c.resp.StatusCode, body)
	}
	e := c.next()
	if e.name != eventHello || e.id == "" {
		w.t.Fatalf("first frame %+v", e)
	}
	if err := json.Unmarshal([]byte(e.data), &c.hello); err != nil {
		w.t.Fatal(err)
	}
	w.modes[c.hello.Mode]++
	return c
}

func (w *watcher) dial(ctx context.Context) *connection {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", w.base+w.path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.cookie != "" {
		req.Header.Set("Cookie", w.cookie)
	}
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	if w.forwarded != "" {
		req.Header.Set("X-Forwarded-For", w.forwarded)
	}
	if w.lastID != "" {
		req.Header.Set("Last-Event-ID", w.lastID)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	return &connection{watcher: w, resp: resp, parser: newParser(resp.Body), revs: map[job.ID]int64{}}
}

func (c *connection) close() { _ = c.resp.Body.Close() }

// next reads one event and applies it.
func (c *connection) next() event {
	c.t.Helper()
	e, err := c.parser.next()
	if err != nil {
		c.t.Fatalf("the stream broke off after %v: %v", c.names, err)
	}
	c.apply(e)
	return e
}

// until reads until an event of the name, which it answers.
func (c *connection) until(name string) event {
	c.t.Helper()
	for {
		if e := c.next(); e.name == name {
			return e
		}
	}
}

// tryNext is next for a connection that may be cut.
func (c *connection) tryNext() (event, bool) {
	c.t.Helper()
	e, err := c.parser.next()
	if err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, context.Canceled) &&
			!strings.Contains(err.Error(), "closed") {
			c.t.Errorf("the stream broke off: %v", err)
		}
		return event{}, false
	}
	c.apply(e)
	return e, true
}

func (c *connection) apply(e event) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = append(c.names, e.name)
	c.lastID = e.id
	switch e.name {
	case eventReady:
		if c.ready {
			c.t.Error("ready twice")
		}
		c.ready = true
	case eventJob:
		var j jobData
		if err := json.Unmarshal([]byte(e.data), &j); err != nil {
			c.t.Fatalf("%v in %s", err, e.data)
		}
		if before, ok := c.revs[j.ID]; ok && j.Rev <= before { // P2 and P3 within a connection
			c.t.Errorf("job %s: rev %d after %d on one connection", j.ID, j.Rev, before)
		}
		c.revs[j.ID] = j.Rev
		if j.Rev > c.seen[j.ID] {
			if was := c.state[j.ID]; was.Terminal && was.Rev/job.RevsPerToken == j.Rev/job.RevsPerToken {
				c.t.Errorf("job %s: %s after its end", j.ID, j.Status)
			}
			c.seen[j.ID], c.state[j.ID] = j.Rev, j
			c.all[j.ID] = append(c.all[j.ID], j)
		}
		if c.onJob != nil {
			c.onJob(j)
		}
	case eventRemoved:
		var gone removedData
		if err := json.Unmarshal([]byte(e.data), &gone); err != nil {
			c.t.Fatalf("%v in %s", err, e.data)
		}
		if id, err := job.ParseID(gone.ID); err == nil {
			delete(c.state, id)
		}
	}
}

func endOf(t *testing.T, e event) endData {
	t.Helper()
	var end endData
	if err := json.Unmarshal([]byte(e.data), &end); err != nil || e.name != eventEnd {
		t.Fatalf("%v in %+v", err, e)
	}
	return end
}

// limited is a context for one test's streams: nothing waits for ever.
func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
