package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// talk says its payload's number of lines and chunks, a half of them before and a half after it is released.
func talk(release <-chan struct{}) actors.Handler {
	return func(ctx context.Context, j *actors.Job) error {
		var p struct{ Lines, Pad int }
		if err := j.Bind(&p); err != nil {
			return err
		}
		for n := range p.Lines {
			if n == p.Lines/2 {
				select {
				case <-release:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			j.Log(slog.LevelInfo, fmt.Sprintf("line %d\r\nof\u2028it", n+1)+strings.Repeat("x", p.Pad))
			if err := j.Output(fmt.Appendf(nil, "chunk %d\n", n+1)); err != nil {
				return err
			}
		}
		return nil
	}
}

// talking starts a node that talks.
func talking(t *testing.T, change func(*Config)) (r *rig, release chan struct{}) {
	t.Helper()
	release = make(chan struct{})
	r = newWorld(t, testenv.Redis(t)).startWith(change, map[string]actors.Handler{"talk": talk(release)})
	return r, release
}

// heard reads a stream of lines to its end, or to as many lines as given.
type heard struct {
	seqs  []int64
	texts []string
	gaps  []gapData
	names []string
	end   string
	last  string // id
}

func listen(t *testing.T, r *rig, path, lastID string, most int) heard {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", r.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || resp.Header.Get("Cache-Control") != "no-store, no-transform" {
		body, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %d %v %s", path, resp.StatusCode, resp.Header, body)
	}
	var h heard
	for parser := newParser(resp.Body); len(h.seqs) < most; {
		e, err := parser.next()
		if err != nil {
			t.Fatalf("%s broke off after %v: %v", path, h.names, err)
		}
		h.names, h.last = append(h.names, e.name), e.id
		switch e.name {
		case eventLog, eventChunk:
			var l struct {
				Seq        int64
				Text, Data string
			}
			if err := json.Unmarshal([]byte(e.data), &l); err != nil || e.id != fmt.Sprint(l.Seq) {
				t.Fatalf("%v in %+v", err, e)
			}
			h.seqs, h.texts = append(h.seqs, l.Seq), append(h.texts, l.Text+l.Data)
		case eventGap:
			var g gapData
			if err := json.Unmarshal([]byte(e.data), &g); err != nil {
				t.Fatal(err)
			}
			h.gaps = append(h.gaps, g)
		case eventEnd:
			h.end = endOf(t, e).Reason
			return h
		}
	}
	return h
}

func submitTalk(t *testing.T, r *rig, lines, pad int) job.ID {
	t.Helper()
	var made struct{ ID job.ID }
	do(t, r.Server, "POST", "/v1/jobs", fmt.Sprintf(`{"kind":"talk","payload":{"lines":%d,"pad":%d}}`, lines, pad)).decode(t, &made)
	return made.ID
}

func TestLogAndOutputAreFollowedToTheEndOfTheJob(t *testing.T) {
	t.Parallel()
	const lines = 40
	r, release := talking(t, nil)
	id := submitTalk(t, r, lines, 0)
	for path, event := range map[string]string{"/logs": eventLog, "/output": eventChunk} {
		path = "/v1/jobs/" + id.String() + path + "?follow=1"
		first := listen(t, r, path, "", lines/2) // what there is is sent while the job goes on
		if first.names[0] != eventHello || first.names[1] != event {
			t.Errorf("%s: %v", path, first.names)
		}
	}
	all := make(chan heard, 2)
	for _, path := range []string{"/logs", "/output"} {
		go func() { all <- listen(t, r, "/v1/jobs/"+id.String()+path+"?follow=1", "", lines+1) }()
	}
	release <- struct{}{}
	for range 2 {
		h := <-all
		if h.end != "done" || len(h.seqs) != lines || len(h.gaps) > 0 {
			t.Fatalf("%d lines, gaps %v, end %q", len(h.seqs), h.gaps, h.end)
		}
		for n, seq := range h.seqs {
			if want := persistence.LineSeq(h.seqs[0]/job.RevsPerToken, int64(n+1)); seq != want {
				t.Fatalf("line %d has seq %d, want %d", n, seq, want)
			}
			if h.texts[n] != fmt.Sprintf("line %d\r\nof\u2028it", n+1) && h.texts[n] != fmt.Sprintf("chunk %d\n", n+1) {
				t.Fatalf("line %d is %q", n, h.texts[n])
			}
		}
		for n, seq := range h.seqs { // whoever comes back with any id gets the rest
			path := "/v1/jobs/" + id.String() + "/logs?follow=1&tail=3" // which an id overrides
			if n == lines-1 {
				if got := do(t, r.Server, "GET", path, "", "Last-Event-ID", fmt.Sprint(seq)); got.StatusCode != 204 {
					t.Errorf("after the last line: %d", got.StatusCode)
				}
				continue
			}
			if again := listen(t, r, path, fmt.Sprint(seq), lines); again.end != "done" || len(again.seqs) != lines-n-1 || again.seqs[0] != h.seqs[n+1] {
				t.Fatalf("after %d: %+v", seq, again)
			}
		}
	}
	if tail := listen(t, r, "/v1/jobs/"+id.String()+"/logs?follow=1&tail=3", "", lines); len(tail.seqs) != 3 || tail.texts[2] != fmt.Sprintf("line %d\r\nof\u2028it", lines) {
		t.Errorf("the tail is %q", tail.texts)
	}
}

func TestPagesOfLinesFollowEachOther(t *testing.T) {
	t.Parallel()
	const lines = 25
	r, release := talking(t, nil)
	id := submitTalk(t, r, lines, 0)
	close(release)
	base := "/v1/jobs/" + id.String()
	waitFor(t, "the job to end", func() bool {
		var v job.View
		do(t, r.Server, "GET", base, "").decode(t, &v)
		return v.Terminal
	})
	for _, channel := range []string{"/logs", "/output"} {
		var texts []string
		after := int64(0)
		for {
			var page struct {
				Lines         []logLine
				Chunks        []chunk
				Next          *int64
				DroppedBefore *int64 `json:"dropped_before"`
			}
			got := do(t, r.Server, "GET", fmt.Sprintf("%s%s?limit=7&after=%d", base, channel, after), "")
			got.decode(t, &page)
			for _, l := range page.Lines {
				if l.Level != "info" || l.Attempt != 1 || l.At.IsZero() {
					t.Errorf("%+v", l)
				}
				texts = append(texts, l.Text)
			}
			for _, c := range page.Chunks {
				texts = append(texts, c.Data)
			}
			if !strings.Contains(got.body, `"dropped_before":null`) {
				t.Error(got.body)
			}
			if page.Next == nil {
				break
			}
			after = *page.Next
		}
		if len(texts) != lines || !strings.HasSuffix(strings.Fields(texts[lines-1])[1], "25") {
			t.Errorf("%s: %d lines, %q", channel, len(texts), texts)
		}
	}
	if empty := do(t, r.Server, "GET", base+"/output?after=9999999999", ""); empty.body != `{"chunks":[],"next":null,"dropped_before":null}`+"\n" {
		t.Errorf("%q", empty.body)
	}
	for query, want := range map[string]int{
		"after=x": 422, "after=-1": 422, "limit=0": 422, "limit=1001": 422, "tail=0": 422, "follow=maybe": 422, "unknown=1": 422, "tail=2": 200,
	} {
		if got := do(t, r.Server, "GET", base+"/logs?"+query, ""); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", query, got.StatusCode, want)
		}
	}
	if got := do(t, r.Server, "GET", "/v1/jobs/01900000-0000-7000-8000-000000000000/logs?follow=1", ""); got.StatusCode != 404 {
		t.Errorf("of no job: %d", got.StatusCode)
	}
}

func TestStreamsOfLinesBeatDrainAndAge(t *testing.T) {
	t.Parallel()
	for reason, limits := range map[string]StreamLimits{
		"max_age": {Heartbeat: 50 * time.Millisecond, MaxAge: 400 * time.Millisecond}, "drain": {Heartbeat: 50 * time.Millisecond},
	} {
		r, _ := talking(t, func(c *Config) { c.Streams = limits })
		id := submitTalk(t, r, 10, 0)
		done := make(chan heard, 1)
		go func() { done <- listen(t, r, "/v1/jobs/"+id.String()+"/output?follow=1", "", 10) }()
		if reason == "drain" {
			waitFor(t, "the chunks to be sent", func() bool { return r.metric(`troupe_sse_events_sent_total{event="chunk"}`) == "5" })
			beats := r.metric(`troupe_sse_events_sent_total{event="hb"}`)
			waitFor(t, "the stream to beat", func() bool { return r.metric(`troupe_sse_events_sent_total{event="hb"}`) != beats })
			r.handler.Drain(10 * time.Millisecond)
		}
		h := <-done
		if h.end != reason || !strings.Contains(strings.Join(h.names, " "), "chunk hb") || len(h.seqs) != 5 {
			t.Errorf("want %s: %q after %v", reason, h.end, h.names)
		}
		if reason == "max_age" && h.last != fmt.Sprint(h.seqs[4]) {
			t.Errorf("the last id is %q", h.last)
		}
	}
}

func TestAClientThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	const lines = 600
	r, release := talking(t, func(c *Config) { c.Streams = StreamLimits{WriteTimeout: 300 * time.Millisecond} })
	id := submitTalk(t, r, lines, 5000)
	path := "/v1/jobs/" + id.String() + "/logs?follow=1"
	server, err := NewServer(r.handler, ServerConfig{Listen: "127.0.0.1:0"})
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
	if _, err := io.WriteString(stalled, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	done := make(chan heard, 1)
	go func() { done <- listen(t, r, path, "", lines+1) }()
	close(release)
	if h := <-done; h.end != "done" || len(h.seqs) != lines {
		t.Errorf("%d lines, end %q", len(h.seqs), h.end)
	}
	waitFor(t, "the stalled stream to be closed", func() bool { return r.metric(`troupe_sse_connections_closed_total{reason="write_timeout"}`) == "1" })
}

// metric is one series' value, as text.
func (r *rig) metric(series string) string {
	r.t.Helper()
	_, after, _ := strings.Cut(do(r.t, r.Server, "GET", "/metrics", "").body, series+" ")
	value, _, _ := strings.Cut(after, "\n")
	return value
}
