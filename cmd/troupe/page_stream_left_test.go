package main

import (
	"context"
	"testing"
)

// A page that was left may be kept by the browser for the way back: its stream is not. On the way back it is there again.
func tellLeft(t *testing.T, browser context.Context, troupe string) {
	node, p := startWatched(t, troupe), openTab(t, browser)
	p.visit(node.url("/"))
	p.wait(live)
	open := func() int { all, _ := node.seats(); return len(all) }
	if n := open(); n != 1 {
		t.Errorf("%d streams for one page", n)
	}
	p.visit(node.url("/healthz"))
	t.Logf("its stream was closed after %s", soon(t, "the stream of the page that was left to close", func() bool { return open() == 0 }))
	node.video("The way back", 3)
	tabAsk[bool](p, `(history.back(), true)`)
	p.wait(live)
	p.status("The way back", "completed")
	if n := open(); n != 1 {
		t.Errorf("%d streams for one page that came back", n)
	}
}
