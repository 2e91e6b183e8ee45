package main

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// A page with the hooks, in which React mounts everything twice: there is one stream, and the end of each run is told once, also when a
// job gets another run and when connections are lost.
func tellReact(t *testing.T, browser context.Context, troupe, react string) {
	node := startWatched(t, troupe)
	door, p := openDoor(t, node), openTab(t, browser)
	door.files = pageOf(t, react)
	long := node.post("sample.sleep", map[string]any{"ms": 12_000, "steps": 100}, 3) // keeps the stream open
	fine := node.post("sample.sleep", map[string]any{"ms": 2_000, "steps": 20}, 3)
	dead := node.post("sample.fail", map[string]any{"times": 9}, 1)
	stopped := node.post("sample.sleep", map[string]any{"ms": 3_000, "steps": 30}, 3)
	all := []string{long, fine, dead, stopped}
	p.visit(door.url("/page/?jobs=" + strings.Join(all, ",")))
	shows := func(id, status string, run int) {
		p.wait(`(e => e?.dataset.status === ` + quoted(status) + ` && Number(e?.dataset.run) === ` + strconv.Itoa(run) + `)(document.querySelector('[data-job="` + id + `"]'))`)
	}
	shows(long, "processing", 1)
	shows(dead, "failed", 1)
	shows(fine, "completed", 1)
	if open, closed := node.seats(); len(open) != 1 || closed != 0 {
		t.Errorf("%d streams are open and %d were closed: %+v", len(open), closed, open)
	}
	if n := p.sent("POST /v1/stream"); n != 1 {
		t.Errorf("%d streams were asked for", n)
	}

	// Somebody else cancels one and gives it a new run; the page gives the dead one another.
	var nothing any
	node.ask(http.MethodPost, "/v1/jobs/"+stopped+"/cancel", []byte(`{}`), &nothing)
	shows(stopped, "cancelled", 1)
	cut := door.sever()
	node.ask(http.MethodPost, "/v1/jobs/"+stopped+"/retry", []byte(`{}`), &nothing)
	p.click(`document.querySelector('[data-job="` + dead + `"] button')`)
	shows(dead, "failed", 2)
	shows(stopped, "completed", 2)
	cut += door.sever()
	shows(long, "completed", 1)
	if cut < 2 {
		t.Errorf("%d connections were lost", cut)
	}

	told := p.told()
	told.ordered(t)
	if told.React[:2] != react {
		t.Errorf("this is React %s", told.React)
	}
	for _, id := range all {
		if told.Mounts[id] != 2 {
			t.Errorf("card %s was mounted %d times: this is no strict mode", id, told.Mounts[id])
		}
	}
	ends := map[string][]string{long: {"completed"}, fine: {"completed"}, dead: {"failed", "failed"}, stopped: {"cancelled", "completed"}}
	count := 0
	for id, runs := range ends {
		for i, want := range runs {
			count++
			if times, status := told.ended(id, i+1); times != 1 || status != want {
				t.Errorf("the end of run %d of job %s was told %d times, %q; want %q", i+1, id, times, status, want)
			}
		}
	}
	if len(told.Completed) != count {
		t.Errorf("%d ends were told: %+v", len(told.Completed), told.Completed)
	}
	t.Logf("React %s: %s, %d states", told.React, door, len(told.States))
	soon(t, "the end of the stream", func() bool { open, _ := node.seats(); return len(open) == 0 }) // all have ended
}
