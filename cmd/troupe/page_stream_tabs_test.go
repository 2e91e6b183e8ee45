package main

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Seven tabs of one browser, which has six connections for them over HTTP/1.1: one of them has the stream, all of them show the jobs as
// they go, and there are connections left for everything else. When the tab that has it is closed another takes over.
func tellSevenTabs(t *testing.T, browser context.Context, troupe string) {
	node := startWatched(t, troupe)
	window, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer cancel()
	if err := chromedp.Do(window); err != nil {
		t.Fatal(err)
	}
	tabs := make([]*tab, 7)
	for i := range tabs {
		tabs[i] = openTabIn(t, window, chromedp.WithNewWindow(i == 0))
		tabs[i].visit(node.url("/"))
		tabs[i].wait(live)
	}
	node.video("The early ferry", 6)
	node.video("The late ferry", 30)
	for _, p := range tabs {
		p.filled("The early ferry", 5)
		p.filled("The late ferry", 1)
	}
	if open, closed := node.seats(); len(open) != 1 {
		t.Errorf("%d streams are open and %d were closed, of one browser", len(open), closed)
	}

	// All is open, and a tab may still go elsewhere and come back.
	last := tabs[6]
	began := time.Now()
	last.visit(node.url("/ops"))
	last.wait(`document.querySelector('main h1')`)
	last.visit(node.url("/"))
	last.wait(`card('The late ferry')`)
	t.Logf("there and back again in %s", time.Since(began))

	lead := -1
	for i, p := range tabs {
		if p.sent("POST /v1/stream") > 0 && lead < 0 {
			lead = i
		}
	}
	before, _ := node.seats()
	if lead < 0 || len(before) != 1 {
		t.Fatalf("tab %d leads, %d streams", lead, len(before))
	}
	tabs[lead].close()
	rest := append(append([]*tab{}, tabs[:lead]...), tabs[lead+1:]...)
	took := soon(t, "another tab's stream", func() bool {
		open, _ := node.seats()
		return len(open) == 1 && open[0].ID != before[0].ID
	})
	t.Logf("another tab took over after %s", took)
	if took > 3*time.Second {
		t.Errorf("another tab took over after %s only", took)
	}
	node.video("The swift ferry", 2)
	for i, p := range rest {
		p.wait(live)
		for _, title := range []string{"The early ferry", "The late ferry", "The swift ferry"} {
			p.status(title, "completed")
		}
		p.forwards()
		if p != last {
			for _, title := range []string{"The early ferry", "The late ferry"} {
				if seen := p.glimpses(title); len(seen) < 5 {
					t.Errorf("tab %d saw %s in %d steps", i, title, len(seen))
				}
			}
		}
		p.clean(false)
	}
	if open, _ := node.seats(); len(open) != 1 {
		t.Errorf("%d streams are open", len(open))
	}
}

// close closes the tab, as a person does.
func (p *tab) close() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Cancel(ctx); err != nil {
		p.t.Fatalf("close a tab: %v", err)
	}
}
