package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// Every few hundred milliseconds a connection is cut in the midst of a frame, while eight jobs run: each is shown to its end, and none
// goes back; in the studio, and in a page of somebody else.
func tellCut(t *testing.T, browser context.Context, troupe string) {
	node := startWatched(t, troupe)
	door, studio, page := openDoor(t, node), openTab(t, browser), openTab(t, browser)
	door.files = pageOf(t, "19")
	studio.visit(door.url("/"))
	studio.wait(live)

	var titles, ids []string
	for i := range 3 {
		titles = append(titles, fmt.Sprintf("Lantern %d", i+1))
		ids = append(ids, node.video(titles[i], 6))
	}
	for i := range 5 {
		ids = append(ids, node.post("sample.sleep", map[string]any{"ms": 4_000 + 500*i, "steps": 100}, 3))
	}
	failing := node.post("sample.fail", map[string]any{"times": 1}, 2)
	page.visit(door.url("/page/?jobs=" + strings.Join(append(ids, failing), ",")))
	page.wait(`document.querySelector('[data-phase=live]')`)
	door.snips.Store(true)
	for _, title := range titles {
		studio.status(title, "completed")
	}
	for _, id := range append(ids, failing) {
		page.wait(`document.querySelector('[data-job="` + id + `"]').dataset.status === 'completed'`)
	}
	t.Log(door)
	if n := door.cut.Load(); n < 6 {
		t.Errorf("only %d connections were cut", n)
	}
	studio.forwards()
	told := page.told()
	told.ordered(t)
	for _, id := range append(ids, failing) {
		if times, status := told.ended(id, 1); times != 1 || status != "completed" {
			t.Errorf("the end of job %s was told %d times, %q", id, times, status)
		}
	}
	door.snips.Store(false)
	for _, title := range titles { // what is not on the stream is there, too
		studio.wait(`card(` + quoted(title) + `).querySelector('.result img')?.naturalWidth > 0`)
	}
	t.Logf("%d states", len(told.States))
}

// Something on the way holds the bytes of streams back: the page asks with plain requests instead, until a stream gets through.
func tellHeldBack(t *testing.T, browser context.Context, troupe string) {
	node := startWatched(t, troupe)
	door, p := openDoor(t, node), openTab(t, browser)
	release := door.hold()
	p.visit(door.url("/"))
	node.video("The kite", 2)
	p.wait(`document.querySelector('.connection')?.dataset.phase === 'polling'`)
	loaded := tabAsk[float64](p, `performance.now()`)
	t.Logf("polling %.1f s after the page began to load", loaded/1000)
	if loaded > 13_000 {
		t.Errorf("polling after %.1f s only", loaded/1000)
	}
	p.status("The kite", "completed")
	node.video("The swing", 2)
	p.status("The swing", "completed")
	p.forwards()
	release()
	p.wait(live)
	t.Log(door)
	p.clean(false)
}
