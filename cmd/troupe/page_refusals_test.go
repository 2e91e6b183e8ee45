package main

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// What can't be made is refused in words, what was written stays, and a hasty click orders nothing.
func tellRefusals(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev"), openTab(t, browser)
	p.visit(node.url("/"))
	p.wait(live)
	for _, c := range []struct{ prompt, words string }{
		{strings.Repeat("x", 2001), "Prompt: has 2001 characters, at most 2000."},
		{"   \n  ", "Prompt: Say in a sentence what the video should show."},
		{"\u200b\u200b", "Prompt: has no visible character."},
	} {
		p.write("textarea", c.prompt)
		p.click(`button('Make video')`)
		p.wait(`document.querySelector('.composer [role=alert]').innerText === ` + quoted(c.words))
		p.wait(`document.querySelector('textarea').value === ` + quoted(c.prompt) + ` && document.querySelector('textarea').ariaInvalid === 'true'`)
	}
	if n := tabAsk[int](p, `document.querySelectorAll('.card').length`); n != 0 || len(node.jobs()) != 0 {
		t.Errorf("%d cards, %d jobs, of nothing that can be made", n, len(node.jobs()))
	}

	// Both clicks before there is an answer.
	p.write("textarea", "Two clicks at once")
	at := p.where(`button('Make video')`)
	p.do(chromedp.MouseClickXY(at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y, chromedp.ClickCount(2)))
	p.wait(`document.querySelector('textarea').value === ''`)
	// The second when the first has been answered.
	p.write("textarea", "Two clicks, one late")
	at = p.where(`button('Make video')`)
	p.do(chromedp.MouseClickXY(at.X, at.Y))
	p.wait(`document.querySelector('textarea').value === ''`)
	p.do(chromedp.MouseClickXY(at.X, at.Y, chromedp.ClickCount(2)))
	p.order("And one more")
	if words := tabAsk[string](p, `document.querySelector('.composer [role=alert]').innerText`); words != "" {
		t.Errorf("the second click is answered %q", words)
	}
	if n := tabAsk[int](p, `document.querySelectorAll('.card').length`); n != 3 || len(node.jobs()) != 3 {
		t.Errorf("%d cards of %d jobs, of 3 orders", n, len(node.jobs()))
	}
	p.clean(true)
}
