package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

const reconnecting = `document.querySelector('.connection').dataset.phase === 'reconnecting' &&
	document.querySelector('.connection').innerText.includes('Reconnecting, your jobs keep running.')`

var reload = chromedp.Reload()

// The node dies while it renders, and comes back: the page says so, and the video is done on it as if nothing had been.
func tellCrash(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev"), openTab(t, browser)
	p.shorten()
	p.visit(node.url("/"))
	p.wait(live)
	_ = tabAsk[bool](p, `window.notReloaded = true`)
	p.order("The lighthouse")
	p.filled("The lighthouse", 10)
	node.kill()
	p.wait(reconnecting)
	node.start()
	p.wait(live)
	p.status("The lighthouse", "completed")
	p.forwards()
	p.plays("The lighthouse", 2)
	if j := node.job("The lighthouse"); j.Attempt != 1 || j.Crashes < 1 || j.Run != 1 {
		t.Errorf("attempt %d, crashes %d, run %d", j.Attempt, j.Crashes, j.Run)
	}
	if !tabAsk[bool](p, `notReloaded && document.querySelectorAll('.card').length === 1 && !document.body.innerText.includes('Attempt 2')`) {
		t.Errorf("the page was loaded again, or is wrong:\n%s", p.text())
	}
	p.clean(true)
}

// For some seconds there is only a door that says 503, as of a proxy without a server behind it.
func tellUnavailable(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev"), openTab(t, browser)
	p.visit(node.url("/"))
	p.wait(live)
	node.kill()
	listener, err := net.Listen("tcp", node.addr)
	if err != nil {
		t.Fatal(err)
	}
	var streams atomic.Int32
	thrice := make(chan struct{})
	door := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "no server is available", http.StatusServiceUnavailable)
		if strings.HasPrefix(r.URL.Path, "/v1/stream") && streams.Add(1) == 3 {
			close(thrice)
		}
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = door.Serve(listener) }()
	p.wait(reconnecting)
	p.write("textarea", "Kept through the night")
	p.click(`button('Make video')`)
	p.wait(`document.querySelector('.composer [role=alert]').innerText.includes('The studio takes no new work right now. What you wrote is kept.')`)
	<-thrice
	p.wait(reconnecting)
	_ = door.Close()
	<-served
	node.start()
	p.wait(live)
	p.click(`button('Make video')`)
	p.wait(`document.querySelector('textarea').value === ''`)
	p.status("Kept through the night", "processing")
	if n := len(node.jobs()); n != 1 {
		t.Errorf("%d jobs, of one order", n)
	}
	p.clean(true)
}
