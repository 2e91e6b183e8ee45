package main

import (
	"context"
	"testing"

	"github.com/chromedp/chromedp"
)

const live = `document.querySelector('.connection')?.dataset.phase === 'live'`

// A person types a prompt, and watches the video being made and then the video.
func tellOrder(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev"), openTab(t, browser)
	p.shorten()
	p.visit(node.url("/"))
	p.wait(live)
	p.do(chromedp.SendKeys(chromedp.CSS("textarea"), "A paper boat. It drifts down a rainy street."))
	p.click(`button('Make video')`)
	p.wait(`card('A paper boat')`)
	p.wait(`/^\(\d+ %\) Troupe$/.test(document.title)`)
	p.wait(`recorded.posters.length > 0`)
	p.status("A paper boat", "completed")

	seen := p.glimpses("A paper boat")
	if first := seen[0].Status; first != "sending" {
		t.Errorf("the card was first %s: it waited for the server", first)
	}
	percents := map[float64]bool{}
	for _, g := range seen {
		percents[g.Percent] = true
	}
	if len(percents) < 5 {
		t.Errorf("the card filled in %d steps: %+v", len(percents), seen)
	}
	p.forwards()
	if early := tabAsk[[]string](p, `recorded.posters`); len(early) == 0 || early[0] != "processing" {
		t.Errorf("the poster was shown while %v", early)
	}
	p.plays("A paper boat", 2)
	if n := p.answered("206 /v1/jobs/"); n == 0 {
		t.Error("the video was not asked for in ranges")
	}
	if n := p.sent("POST /v1/stream"); n != 1 {
		t.Errorf("%d streams", n)
	}
	clicked := tabAsk[float64](p, `recorded.clicks.at(-1)`)
	t.Logf("from the click to the card: %.1f ms", seen[0].At-clicked)
	p.timely(node, "A paper boat")
	p.clean(false)
}

// plays plays the video of a card, and looks for another place in it.
func (p *tab) plays(text string, seconds float64) {
	p.t.Helper()
	got := tabAsk[struct {
		Width, Height          int
		Played, Sought, Length float64
		Error                  string
	}](p, `(async () => {
		const v = await until(() => card(`+quoted(text)+`).querySelector('video'));
		v.muted = true;
		v.play().catch(() => {});
		await until(() => v.error || v.currentTime > 0.4);
		const Played = v.currentTime;
		v.pause();
		if (!v.error) {
			const sought = new Promise((resolve) => v.addEventListener('seeked', resolve, { once: true }));
			v.currentTime = 1.5;
			await sought;
		}
		return { Width: v.videoWidth, Height: v.videoHeight, Played, Sought: v.currentTime, Length: v.duration, Error: v.error?.message ?? '' };
	})()`)
	if got.Error != "" || got.Width != 1280 || got.Height != 720 || got.Played < 0.4 || got.Sought != 1.5 || got.Length < seconds-0.1 || got.Length > seconds+0.1 {
		p.t.Errorf("the video of %q: %+v", text, got)
	}
}
