package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// statsData is what the tests need of a stats event.
type statsData struct {
	Node   string `json:"node"`
	Nodes  int    `json:"nodes"`
	Queues []struct {
		Name        string  `json:"name"`
		Waiting     int     `json:"waiting"`
		Processing  int     `json:"processing"`
		Concurrency int     `json:"concurrency"`
		Completed   float64 `json:"completed_per_s"`
		Failed      float64 `json:"failed_per_s"`
	} `json:"queues"`
	Totals struct {
		Processing int     `json:"processing"`
		Started    float64 `json:"started_per_s"`
		Completed  float64 `json:"completed_per_s"`
		Failed     float64 `json:"failed_per_s"`
	} `json:"totals"`
	State struct {
		Streams int `json:"streams"`
	} `json:"node_state"`
}

func statsOf(t *testing.T, e event) (s statsData) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.data), &s); err != nil {
		t.Fatalf("%v in %s", err, e.data)
	}
	return s
}

// countedInbox counts readings of depths.
type countedInbox struct {
	persistence.Inbox
	depths *atomic.Int64
}

func (c countedInbox) Depth(ctx context.Context, queue string) (persistence.Depth, error) {
	c.depths.Add(1)
	return c.Inbox.Depth(ctx, queue)
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	var depths atomic.Int64
	count := func(c *actors.Config) { c.Inbox = countedInbox{c.Inbox, &depths} }
	nodes := []*rig{w.start(nil, count), w.start(nil, nil)}
	var conns []*connection
	for _, path := range []string{"?topic=stats", "?topic=stats&topic=owner:u1", "?topic=stats", "?topic=stats", "?topic=stats"} {
		opened := time.Now()
		c := watch(t, nodes[0].URL, "/v1/stream"+path).connect(limited(t))
		defer c.close()
		conns = append(conns, c)
		e := c.until(eventStats)
		if took := time.Since(opened); took > time.Second {
			t.Errorf("the first came after %s", took)
		}
		if s := statsOf(t, e); s.Node != nodes[0].app.Node() || len(s.Queues) != 2 || s.Queues[0].Name != "default" || s.State.Streams < 1 {
			t.Errorf("%s", e.data)
		}
		if e.id != c.hello.Epoch+"-0" { // that of the frame before it: it has none of its own
			t.Errorf("id %q", e.id)
		}
	}
	before, began := depths.Load(), time.Now()
	last := time.Now()
	for n := range 4 {
		conns[0].until(eventStats)
		if gap := time.Since(last); n > 0 && gap < 800*time.Millisecond {
			t.Errorf("two within %s", gap)
		}
		last = time.Now()
	}
	seconds := int64(time.Since(began)/time.Second) + 1
	if read := depths.Load() - before; read > 2*seconds+seconds+2 { // two queues; the node's own gauges take a reading of each every two seconds
		t.Errorf("%d readings of depths in %d s for 5 streams", read, seconds)
	}
	// What the other node runs counts as well.
	gate := nodes[1].submit(`{"kind":"gate"}`)
	nodes[1].await(gate, job.Processing)
	for range 20 {
		nodes[1].submit(`{"kind":"echo"}`)
	}
	nodes[1].submit(`{"kind":"boom"}`)
	for c, deadline := conns[1], time.Now().Add(15*time.Second); ; {
		s := statsOf(t, c.until(eventStats))
		if s.Totals.Processing == 1 && s.Totals.Completed > 2 && s.Totals.Started > s.Totals.Completed && s.Totals.Failed > 0 && s.Nodes == 2 &&
			s.Queues[0].Concurrency == 40 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%+v", s)
		}
	}
	w.release <- struct{}{}
	for _, c := range conns {
		c.close()
	}
	waitFor(t, "the streams to end", func() bool {
		nodes[0].handler.streams.mu.Lock()
		defer nodes[0].handler.streams.mu.Unlock()
		return len(nodes[0].handler.streams.open) == 0
	})
	<-time.After(1100 * time.Millisecond) // a reading may be under way
	before = depths.Load()
	<-time.After(3 * time.Second)
	if read := depths.Load() - before; read > 4 {
		t.Errorf("%d readings of depths in 3 s while nobody watches", read)
	}
}

// placeData is a place event.
type placeData struct {
	ID       job.ID `json:"id"`
	Reason   string `json:"reason"`
	Position *int   `json:"position"`
	Capped   bool   `json:"capped"`
	Until    *time.Time
}

// untilPlace reads until a place of the job that is as wanted.
func (c *connection) untilPlace(id job.ID, want string) {
	c.t.Helper()
	for {
		e := c.until(eventPlace)
		var p placeData
		if err := json.Unmarshal([]byte(e.data), &p); err != nil {
			c.t.Fatalf("%v in %s", err, e.data)
		}
		got := p.Reason
		if p.Position != nil {
			got = fmt.Sprintf("%s %d", p.Reason, *p.Position)
		}
		if p.ID == id && got == want {
			return
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	one := func(c *actors.Config) { c.Queues = []actors.Queue{{Name: "default", Concurrency: 1}, {Name: "video"}} }
	rig := w.start(nil, one)
	first := rig.submit(`{"kind":"gate","owner":"u1"}`)
	rig.await(first, job.Processing)
	second, third := rig.submit(`{"kind":"gate","owner":"u1"}`), rig.submit(`{"kind":"gate","owner":"u1"}`)
	later := rig.submit(`{"kind":"echo","owner":"u1","delay":"1h"}`)
	other := rig.submit(`{"kind":"echo","owner":"u2"}`)
	c := watch(t, rig.URL, "/v1/stream?topic=owner:u1").connect(limited(t))
	defer c.close()
	c.untilPlace(third, "position 2")
	var answer struct {
		placeData
		Text string `json:"text"`
	}
	do(t, rig.Server, "GET", "/v1/jobs/"+second.String()+"/waiting", "").decode(t, &answer)
	if answer.Reason != "limit" || *answer.Position != 1 || !strings.Contains(answer.Text, "1 of 1 running") {
		t.Errorf("%+v", answer)
	}
	w.release <- struct{}{}
	c.untilPlace(third, "limit 1")
	if r := do(t, rig.Server, "POST", "/v1/queues/default/pause", `{"reason":"for a while"}`); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	c.untilPlace(third, "paused")
	if r := do(t, rig.Server, "POST", "/v1/queues/default/resume", ""); r.StatusCode != 200 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	c.untilPlace(third, "limit 1")
	do(t, rig.Server, "GET", "/v1/jobs/"+later.String()+"/waiting", "").decode(t, &answer)
	if answer.Reason != "scheduled" || answer.Until == nil {
		t.Errorf("%+v", answer)
	}
	if _, shown := c.seen[other]; shown {
		t.Error("another owner's job is shown")
	}
	close(w.release)
	rig.await(third, job.Completed)
	if r := do(t, rig.Server, "GET", "/v1/jobs/"+(job.ID{0, 9}).String()+"/waiting", ""); r.StatusCode != 404 {
		t.Errorf("of no job: %d", r.StatusCode)
	}
	do(t, rig.Server, "GET", "/v1/jobs/"+third.String()+"/waiting", "").decode(t, &answer)
	if answer.Reason != "none" {
		t.Errorf("%+v", answer)
	}
}

// A job that is deleted at one node leaves the streams of all.
func TestARemovalReachesEveryNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	nodes := []*rig{w.start(nil, nil), w.start(nil, nil)}
	var ids []job.ID
	for range 20 {
		ids = append(ids, nodes[0].submit(`{"kind":"boom","owner":"u1"}`))
	}
	for _, id := range ids {
		nodes[0].await(id, job.Failed)
	}
	var conns []*connection
	for _, node := range nodes {
		c := watch(t, node.URL, "/v1/stream?topic=owner:u1").connect(limited(t))
		defer c.close()
		c.until(eventReady)
		if len(c.state) != len(ids) {
			t.Fatalf("%d jobs are shown, want %d", len(c.state), len(ids))
		}
		conns = append(conns, c)
	}
	if r := do(t, nodes[0].Server, "DELETE", "/v1/jobs/"+ids[0].String(), ""); r.StatusCode/100 != 2 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if r := do(t, nodes[1].Server, "DELETE", "/v1/dead?queue=default", ""); r.StatusCode/100 != 2 {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	for _, c := range conns {
		for len(c.state) > 0 {
			c.until(eventRemoved)
		}
	}
}

// Every kind of topic shows many jobs on one connection, those that were there and those that come.
func TestEveryTopicShowsManyJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	nodes := []*rig{w.start(nil, nil), w.start(nil, nil)}
	const before, after = 30, 30
	batch := func(n int) (ids []job.ID) {
		for range n {
			ids = append(ids, nodes[len(ids)%2].submit(`{"kind":"steps","owner":"u1","batch":"b1","queue":"default"}`))
		}
		return ids
	}
	ids := batch(before)
	ctx := limited(t)
	var conns []*connection
	for _, topic := range []string{"owner:u1", "batch:b1", "queue:default", "all"} {
		c := watch(t, nodes[len(conns)%2].URL, "/v1/stream?topic="+topic).connect(ctx)
		defer c.close()
		c.until(eventReady)
		conns = append(conns, c)
	}
	ids = append(ids, batch(after)...)
	named := make([]string, len(ids))
	for i, id := range ids {
		named[i] = "topic=job:" + id.String()
	}
	single := watch(t, nodes[1].URL, "/v1/stream?"+strings.Join(named, "&")).connect(ctx)
	defer single.close()
	if end := endOf(t, single.until(eventEnd)); end.Reason != "done" {
		t.Errorf("the stream of single jobs ended: %+v", end)
	}
	for _, c := range append(conns, single) {
		for _, id := range ids {
			for !c.knows(id) {
				c.next()
			}
		}
	}
}
