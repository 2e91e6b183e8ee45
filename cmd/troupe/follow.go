package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// change is a job as a stream shows it.
type change struct {
	ID       job.ID     `json:"id"`
	Rev      int64      `json:"rev"`
	Run      int        `json:"run"`
	Status   job.Status `json:"status"`
	Terminal bool       `json:"terminal"`
	Attempt  struct {
		N   int `json:"n"`
		Max int `json:"max"`
	} `json:"attempt"`
	Progress struct {
		Percent float64 `json:"pct"`
		Note    string  `json:"note"`
	} `json:"progress"`
	Error   *job.ViewError  `json:"error"`
	Cancel  *job.ViewCancel `json:"cancel"`
	Waiting *struct {
		Reason string     `json:"reason"`
		Until  *time.Time `json:"until"`
	} `json:"waiting"`
	At struct {
		Updated time.Time `json:"updated"`
	} `json:"at"`
}

// follower follows one job's stream to its end, over as many connections as that takes. A connection that ends proves
// nothing: only a terminal state does.
type follower struct {
	client *client
	id     job.ID
	show   func(c change, raw []byte)
	path   string                                               // of another stream of the job's, with
	query  url.Values                                           // its parameters, and
	take   func(name string, data []byte) (ended bool, _ error) // who takes its events
	lost   func(err error, wait time.Duration)                  // the connection broke; the next try comes after the wait

	lastID  string
	rev     int64
	pause   time.Duration // before the next connection, as the node asks
	silence time.Duration // the longest that is not taken for a dead connection
	tries   int           // connections that failed one after the other
	opened  bool          // at least one did not fail
	last    change
}

// Bounds of the waiting for a node that is gone.
const (
	firstPause  = 500 * time.Millisecond
	maxPause    = 5 * time.Second
	maxFrame    = 1 << 20 // bytes of one line of a stream
	openTimeout = 30 * time.Second
)

// follow returns the job's last state. Its error is the context's, or a refusal, or that the node could not be reached at all.
func (f *follower) follow(ctx context.Context) (change, error) {
	for {
		f.pause = 0
		ended, err := f.connection(ctx)
		refused, isRefusal := errors.AsType[*refusal](err)
		switch {
		case ended:
			return f.last, nil
		case ctx.Err() != nil:
			return f.last, context.Cause(ctx)
		case isRefusal && refused.Status < 500 && refused.Status != http.StatusTooManyRequests:
			return f.last, err
		case !f.opened:
			return f.last, err
		case !errors.Is(err, errOver):
			f.pause = max(f.pause, min(firstPause<<min(f.tries, 8), maxPause))
			f.tries++
			f.lost(err, f.pause)
		}
		select {
		case <-time.After(f.pause):
		case <-ctx.Done():
		}
	}
}

// connection reads one connection to its end, and says whether the job has ended.
func (f *follower) connection(ctx context.Context) (ended bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f.silence = openTimeout
	watchdog := time.AfterFunc(f.silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if f.lastID != "" {
		header.Set("Last-Event-ID", f.lastID)
	}
	response, err := f.client.send(ctx, call{method: http.MethodGet, path: cmp.Or(f.path, jobPath(f.id)+"/stream"), query: f.query, header: header})
	if err != nil {
		return false, cmp.Or(context.Cause(ctx), err)
	}
	defer response.Body.Close()
	f.opened = true
	if response.StatusCode == http.StatusNoContent {
		return true, nil // what was seen last was the end
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxFrame)
	var event, data string
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			f.lastID = value
		case "retry":
			if ms, err := strconv.Atoi(value); err == nil && ms >= 0 {
				f.pause = min(time.Duration(ms)*time.Millisecond, maxPause)
			}
		case "event":
			event = value
		case "data":
			data += value
		case "":
			take := f.event
			if f.take != nil && event != "hello" {
				take = f.take
			}
			if ended, err := take(event, []byte(data)); ended || err != nil {
				return ended, err
			}
			event, data = "", ""
		}
		watchdog.Reset(f.silence)
	}
	if err := cmp.Or(context.Cause(ctx), lines.Err()); err != nil {
		return false, fmt.Errorf("the stream broke off: %s", reason(err))
	}
	return false, fmt.Errorf("the stream broke off: %s", reason(io.EOF))
}

// errSilent is a connection on which nothing came, not even a heartbeat.
var errSilent = errors.New("it fell silent")

// errOver is a connection that the node ended in good order before the job had ended.
var errOver = errors.New("the node asks to come back")

func (f *follower) event(name string, data []byte) (ended bool, err error) {
	switch name {
	case "hello":
		var hello struct {
			Beat int64 `json:"hb_ms"`
		}
		if err := json.Unmarshal(data, &hello); err != nil {
			return false, fmt.Errorf("the stream opens with what is not JSON: %w", err)
		}
		f.silence = max(time.Duration(hello.Beat)*time.Millisecond*5/2, time.Second)
		if f.take != nil { // it has no other sign that all is well
			f.tries = 0
		}
	case "ready":
		f.tries = 0
	case "job":
		var c change
		if err := json.Unmarshal(data, &c); err != nil {
			return false, fmt.Errorf("the stream shows what is not a job: %w", err)
		}
		if c.Rev > f.rev {
			f.rev, f.last = c.Rev, c
			f.show(c, data)
		}
		return c.Terminal, nil
	case "removed":
		return false, &refusal{Title: "The job was deleted", Status: http.StatusNotFound}
	case "end":
		return false, errOver
	}
	return false, nil
}
