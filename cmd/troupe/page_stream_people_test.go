package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Two people use one browser after each other: the tabs that one has left open tell the other nothing.
func tellTwoPeople(t *testing.T, browser context.Context, troupe string) {
	hash := func(name string) string {
		sum := sha256.Sum256([]byte(name + " may enter"))
		return name + ":" + hex.EncodeToString(sum[:])
	}
	node := startChild(t, troupe, "serve", "--ffmpeg", "none", "--queue", "video=4", "--token-hash", hash("ana"), "--token-hash", hash("ben"))
	for _, name := range []string{"ana", "ben"} {
		node.token = name + " may enter"
		node.video("A film of "+name, 2)
	}
	first := openTab(t, browser)
	second := openTabIn(t, first.ctx, chromedp.WithNewWindow(true))
	enter := func(p *tab, name string) {
		t.Helper()
		p.wait(`document.querySelector('.sign-in input')`)
		p.write(".sign-in input", name+" may enter")
		p.click(`button('Sign in')`)
		p.status("A film of "+name, "completed")
		p.wait(live)
	}
	first.visit(node.url("/"))
	enter(first, "ana")
	first.do(reload)
	first.status("A film of ana", "completed")
	first.wait(live)
	second.visit(node.url("/"))
	second.status("A film of ana", "completed")
	if n := second.sent("POST /v1/stream"); n != 0 {
		t.Errorf("the second tab of one person asked for %d streams", n)
	}
	second.click(`button('Sign out')`)
	soon(t, "the page to begin anew", func() bool {
		asks, err := chromedp.Run(second.ctx, chromedp.Evaluate[bool](`document.querySelector('.sign-in input') !== null && document.readyState === 'complete'`))
		return err == nil && asks // an error: it is being loaded
	})
	enter(second, "ben")
	if text := second.text(); strings.Contains(text, "A film of ana") {
		t.Errorf("ben reads:\n%s", text)
	}
	if n := second.sent("POST /v1/stream"); n == 0 {
		t.Error("ben's tab has no stream of its own")
	}
	node.token = "ben may enter"
	node.video("Another film of ben", 2)
	second.status("Another film of ben", "completed")
	if text := first.text(); strings.Contains(text, "of ben") {
		t.Errorf("ana's tab says:\n%s", text)
	}
	t.Logf("ana's tab is %s", tabAsk[string](first, `document.querySelector('.connection').innerText`))
}
