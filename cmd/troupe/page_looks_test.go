package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A page with a card of each kind, in both themes, on a desk and on a phone: nothing is wider than the screen, and nothing is out of reach
// for those who can't see it well. Run with -artifacts to look at the screenshots.
func tellLooks(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev"), openTab(t, browser)
	p.visit(node.url("/"))
	p.wait(live + ` && document.body.innerText.includes('The stage is empty.')`)
	p.looks("empty")
	node.video("A lighthouse keeper finds a letter. The sea is calm, and the lamp turns slowly over the water.", 2)
	node.video("A picture of nowhere", 2, "imageUrl", "http://127.0.0.1:1/picture.png")
	p.status("A lighthouse", "completed")
	p.status("A picture of nowhere", "failed")
	node.video(strings.Repeat("Rain on a tin roof, and a radio in the next room. ", 12), 30)
	p.status("Rain on a tin roof", "processing")
	node.video("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen", 2)
	var cancelled shownJob
	node.ask(http.MethodPost, "/v1/jobs/"+node.video("Not this one after all", 2)+"/cancel", nil, &cancelled)
	p.status("Not this one", "cancelled")
	p.filled("Rain on a tin roof", 15)
	p.wait(`card('Rain on a tin roof').querySelector('img.preview').naturalWidth > 0`)
	p.click(`button('Make video')`)
	p.wait(`document.querySelector('.composer [role=alert]').innerText !== ''`)
	p.click(`button('Cancel', card('Rain on a tin roof'))`)
	p.looks("wall")
	node.kill()
	p.wait(reconnecting)
	p.looks("reconnecting")
	if text := p.text(); strings.Contains(text, "left") || strings.Contains(text, "nearly there") {
		t.Errorf("nothing is heard, and the page tells how long it takes:\n%s", text)
	}
	p.clean(true)
}

// looks takes a screenshot in each theme and width, and judges what can be judged.
func (p *tab) looks(name string) {
	p.t.Helper()
	for _, width := range []int64{1280, 390} {
		for _, theme := range []string{"light", "dark"} {
			what := name + "-" + theme + "-" + map[int64]string{1280: "desk", 390: "phone"}[width]
			tabCall(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}})
			p.do(chromedp.EmulateViewport(width, 844))
			p.wait(`innerWidth === ` + map[int64]string{1280: "1280", 390: "390"}[width])
			if over := tabAsk[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				p.t.Errorf("%s: %d pixels are beyond the edge", what, over)
			}
			p.accessible(what)
			p.shot(what)
		}
	}
}

// accessible asks axe-core, if it is installed beside the page's sources.
func (p *tab) accessible(what string) {
	p.t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "http", "ui", "node_modules", "axe-core", "axe.min.js"))
	if errors.Is(err, fs.ErrNotExist) {
		p.t.Log("without axe-core, which `npm ci` in http/ui installs, accessibility is not judged")
		return
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.do(chromedp.Evaluate[chromedp.Void](string(source)))
	faults := tabAsk[[]string](p, `axe.run({ resultTypes: ['violations'] }).then((r) => r.violations.flatMap((v) =>
		v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 200) + ' ' + n.failureSummary)))`)
	if len(faults) > 0 {
		p.t.Errorf("%s: axe-core says:\n%s", what, strings.Join(faults, "\n"))
	}
}
