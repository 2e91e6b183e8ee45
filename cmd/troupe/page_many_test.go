package main

import (
	"context"
	"testing"
)

// Three videos are made at once and watched over one stream. One of them is cancelled, not cancelled, cancelled and made after all, and the
// page is loaded again in the midst of it.
func tellManyAtOnce(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev", "--queue", "video=3"), openTab(t, browser)
	p.shorten()
	p.visit(node.url("/"))
	p.wait(live)
	p.order("The first lantern")
	p.click(`document.querySelector('[name=duration][value="30"]')`)
	p.order("The long river")
	p.click(`document.querySelector('[name=duration][value="6"]')`)
	p.order("The last train")
	all := []string{"The first lantern", "The long river", "The last train"}
	for _, title := range all {
		p.filled(title, 1)
	}
	p.forwards()
	if n := p.sent("POST /v1/stream"); n != 1 {
		t.Errorf("three jobs are watched over %d streams", n)
	}

	p.do(reload)
	p.wait(`document.querySelectorAll('.card').length === 3 && ` + live)
	for _, title := range all {
		p.wait(`card(` + quoted(title) + `)`)
	}
	if n := p.sent("POST /v1/stream"); n != 2 {
		t.Errorf("%d streams, for two loads of the page", n)
	}

	river := `card('The long river')`
	p.click(`button('Cancel', ` + river + `)`)
	p.click(`button('Undo cancel', ` + river + `)`)
	p.wait(`button('Cancel', ` + river + `)`)
	p.click(`button('Cancel', ` + river + `)`)
	p.wait(`button('Undo cancel', ` + river + `)`)
	if n := p.sent("POST /v1/jobs/"); n != 0 {
		t.Error("the cancel was sent while it could be undone")
	}
	p.status("The long river", "cancelled")
	if n := p.sent("POST /v1/jobs/"); n != 1 {
		t.Errorf("%d requests of one cancel", n)
	}
	p.status("The first lantern", "completed")
	p.status("The last train", "completed")

	p.click(`button('Make it', ` + river + `)`)
	p.status("The long river", "processing")
	p.filled("The long river", 1)
	if j := node.job("The long river"); j.Run != 2 || j.Attempt != 1 {
		t.Errorf("made after all: run %d, attempt %d", j.Run, j.Attempt)
	}
	p.forwards()
	// A cancel that could still be undone is sent when the page is left.
	p.click(`button('Cancel', ` + river + `)`)
	p.wait(`button('Undo cancel', ` + river + `)`)
	p.do(reload)
	p.status("The long river", "cancelled")
	if n := tabAsk[int](p, `document.querySelectorAll('.card').length`); n != 3 || len(node.jobs()) != 3 {
		t.Errorf("%d cards of %d jobs, of 3 orders", n, len(node.jobs()))
	}
	p.plays("The first lantern", 2)
	p.plays("The last train", 2)
	p.clean(false)
}
