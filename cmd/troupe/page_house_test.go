package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// house is where the operators' pages are listed.
var house = filepath.Join("..", "..", "http", "ui", "src", "ops", "rooms.ts")

// rooms are the paths of all operators' pages, as their list has them.
func rooms(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile(house)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, found := range regexp.MustCompile(`path: '(/ops[^']*)'`).FindAllStringSubmatch(string(source), -1) {
		paths = append(paths, found[1])
	}
	if len(paths) < 7 {
		t.Fatalf("%s lists %q", house, paths)
	}
	return paths
}

// firstLoad bounds the scripts that a room loads when it is the first, in bytes as sent.
const firstLoad = 130_000

// Every room of the house, in both themes, on a desk and on a phone, on a node that has something to show: nothing is wider than the
// screen, nothing is out of reach for those who can't see it well, nothing breaks the page's policy, and no first load is heavy.
func tellHouse(t *testing.T, browser context.Context, troupe string) {
	node := startChild(t, troupe, "dev", "--queue", "mail=4", "--queue", "reports=2")
	running := node.furnish()
	for _, path := range rooms(t) {
		address, known := path, true
		for _, parameter := range regexp.MustCompile(`:\w+|\*`).FindAllString(path, -1) {
			if known = parameter == ":id"; known {
				address = strings.Replace(address, parameter, running, 1)
			}
		}
		if !known {
			t.Errorf("%s: say here what its parameters may be", path)
			continue
		}
		p := openTab(t, browser)
		p.visit(node.url(address))
		p.settled()
		p.light(path)
		p.looks("house" + strings.NewReplacer("/ops", "", "/", "-", ":", "").Replace(path))
		if n := tabAsk[int](p, `document.querySelectorAll('main img[src=x], main script').length`); n != 0 {
			t.Errorf("%s: %d elements of the page were written by a job", path, n)
		}
		p.clean(true)
	}
}

// furnish gives a node what operators have to look at, and answers the id of a job that runs.
func (c *child) furnish() string {
	c.t.Helper()
	var jobs []map[string]any
	add := func(n int, kind, queue string, payload map[string]any, attempts int) {
		for range n {
			jobs = append(jobs, map[string]any{"kind": kind, "queue": queue, "owner": "ana", "payload": payload, "max_attempts": attempts})
		}
	}
	add(20, "sample.noop", "default", map[string]any{"n": 1}, 3)
	add(12, "sample.fail", "mail", map[string]any{"times": 9, "error": "the provider answered 503"}, 1)
	add(3, "sample.fail", "default", map[string]any{"times": 9, "error": `<img src=x onerror=alert(1)> "quoted" ` + "\u202egnp.exe " + strings.Repeat("long", 200)}, 1)
	add(2, "sample.panic", "default", map[string]any{"message": "index out of range"}, 1)
	add(4, "sample.fail", "default", map[string]any{"times": 9, "error": "comes again"}, 20)
	add(9, "sample.noop", "reports", map[string]any{"n": 2}, 3)
	add(6, "sample.sleep", "default", map[string]any{"ms": 600_000, "steps": 600}, 3)
	var nothing any
	c.ask(http.MethodPost, "/v1/queues/reports/pause", []byte(`{"reason":"the warehouse is being moved"}`), &nothing)
	c.ask(http.MethodPost, "/v1/jobs/batch", asJSON(c.t, jobs), &nothing)
	for dead := 0; dead < 17; {
		var page struct{ Jobs []shownJob }
		c.ask(http.MethodGet, "/v1/dead?limit=50", nil, &page)
		dead = len(page.Jobs)
	}
	var page struct{ Jobs []shownJob }
	for len(page.Jobs) == 0 {
		c.ask(http.MethodGet, "/v1/jobs?kind=sample.sleep&status=processing", nil, &page)
	}
	return page.Jobs[0].ID
}

// settled waits until a room shows what it has: its heading, and neither bars in place of what is loaded nor a stream that is not open.
func (p *tab) settled() {
	p.t.Helper()
	p.wait(`document.querySelector('main h1') && !document.querySelector('main .loading') && document.querySelector('.connection[data-phase=live]')`)
}

// light fails the test if the scripts of this first load are heavy.
func (p *tab) light(what string) {
	p.t.Helper()
	sent := tabAsk[int](p, `performance.getEntriesByType('resource').filter((r) => r.initiatorType === 'script' || r.name.endsWith('.js'))
		.reduce((sum, r) => sum + r.encodedBodySize, 0)`)
	p.t.Logf("%s: scripts of %d bytes", what, sent)
	if sent == 0 || sent > firstLoad {
		p.t.Errorf("%s: its first load has scripts of %d bytes, at most %d", what, sent, firstLoad)
	}
}

// press presses keys one after the other, with the focus where it is.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	for _, key := range keys {
		p.do(chromedp.KeyEvent(key))
	}
}

// shows waits until the main part of the page has a text in it.
func (p *tab) shows(format string, args ...any) {
	p.t.Helper()
	p.wait(`document.querySelector('main').innerText.includes(` + quoted(fmt.Sprintf(format, args...)) + `)`)
}
