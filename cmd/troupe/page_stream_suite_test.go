package main

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// TestPageStream does to the connections of pages what the world does to them, and holds them to what the stream promises: whatever
// happened, each job is shown to its true end, it never goes back, and its end is told once.
func TestPageStream(t *testing.T) {
	if testing.Short() {
		t.Skip("watches jobs in a browser over broken connections")
	}
	troupe, browser := buildTroupe(t), startBrowser(t)
	for _, story := range []struct {
		name string
		tell func(t *testing.T, browser context.Context, troupe string)
	}{
		{"HeldBack", tellHeldBack}, // the longest first
		{"Cut", tellCut},
		{"Deploy", tellDeploy},
		{"SevenTabs", tellSevenTabs},
		{"Offline", tellOffline},
		{"TwoPeople", tellTwoPeople},
		{"Left", tellLeft},
		{"React18", func(t *testing.T, browser context.Context, troupe string) { tellReact(t, browser, troupe, "18") }},
		{"React19", func(t *testing.T, browser context.Context, troupe string) { tellReact(t, browser, troupe, "19") }},
	} {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			story.tell(t, browser, troupe)
			t.Logf("took %.1f s", time.Since(began).Seconds())
		})
	}
}

// startWatched starts a node whose jobs cost little: its videos are drawn without ffmpeg.
func startWatched(t *testing.T, troupe string) *child {
	t.Helper()
	return startChild(t, troupe, "dev", "--ffmpeg", "none", "--lease", "3s", "--queue", "video=8", "--queue", "default=16")
}

// post orders a job of a kind and answers its id.
func (c *child) post(kind string, payload map[string]any, attempts int) string {
	c.t.Helper()
	var j shownJob
	c.ask(http.MethodPost, "/v1/jobs", asJSON(c.t, map[string]any{"kind": kind, "payload": payload, "max_attempts": attempts}), &j)
	return j.ID
}

// one is a job by its id.
func (c *child) one(id string) (j shownJob) {
	c.t.Helper()
	c.ask(http.MethodGet, "/v1/jobs/"+id, nil, &j)
	return j
}

// seat is a stream, as the node lists it.
type seat struct {
	ID     string   `json:"id"`
	Topics []string `json:"topics"`
}

// seats are the open streams of a node, and how many were closed.
func (c *child) seats() (open []seat, closed int) {
	c.t.Helper()
	var all struct {
		Streams []seat         `json:"streams"`
		Closed  map[string]int `json:"closed"`
	}
	c.ask(http.MethodGet, "/v1/streams", nil, &all)
	for _, n := range all.Closed {
		closed += n
	}
	return all.Streams, closed
}

// soon waits until something outside of the page is so, for as long as a test waits, and answers how long it took.
func soon(t *testing.T, what string, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for tick := time.NewTicker(20 * time.Millisecond); !is(); <-tick.C {
		if time.Since(began) > patience {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
	return time.Since(began)
}
