package main

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// blur takes the focus from wherever it is, so that single keys work.
var blur = chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`)

func asJSON(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// queueNow is what the tests read of a queue.
type queueNow struct {
	Name   string
	Paused bool
	Reason string
	Limit  int
	Depth  struct{ Dead int }
}

func (c *child) queue(name string) queueNow {
	c.t.Helper()
	var all struct{ Queues []queueNow }
	c.ask(http.MethodGet, "/v1/queues", nil, &all)
	for _, q := range all.Queues {
		if q.Name == name {
			return q
		}
	}
	c.t.Fatalf("no queue %q", name)
	return queueNow{}
}

// What somebody on call does, by keyboard: walks the dead letters, gives a group new lives, deletes another after typing that this is
// meant; pauses a queue with a reason, takes that back, lets more run at once; looks for an actor.
func tellDuty(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev", "--queue", "mail=4", "--queue", "reports=2"), openTab(t, browser)
	running := node.furnish()
	p.visit(node.url("/ops"))
	p.settled()
	p.shows("reports")

	p.press("g", "d")
	p.shows("the provider answered 503")
	p.wait(`[...document.querySelectorAll('.group-count')].some((n) => n.innerText === '12')`)
	focus := func(text string) {
		p.wait(`(document.activeElement.closest('.group') ?? document.body).innerText.includes(` + quoted(text) + `) && document.activeElement.matches('.group-toggle')
			|| (dispatchEvent(new KeyboardEvent('keydown', { key: 'j' })), false)`)
	}
	focus("the provider answered 503")
	p.press("r")
	p.wait(`document.querySelector('dialog')?.innerText.includes('12 jobs match')`)
	p.wait(`button('Redrive 12', document.querySelector('dialog'))`)
	p.looks("duty-redrive")
	p.click(`button('Redrive 12', document.querySelector('dialog'))`)
	p.wait(`document.querySelector('dialog')?.innerText.includes('12 jobs redriven')`)
	p.press(kb.Escape)
	p.wait(`document.querySelector('dialog') === null`)

	focus("index out of range")
	p.press("D")
	p.wait(`document.querySelector('dialog')?.innerText.includes('2 jobs match')`)
	if !tabAsk[bool](p, `button('Delete 2', document.querySelector('dialog')).disabled`) {
		t.Error("dead letters may be deleted before anything is typed")
	}
	p.write("dialog input", "delete 2")
	p.press(kb.Enter)
	p.wait(`document.querySelector('dialog')?.innerText.includes('2 jobs deleted')`)
	p.press(kb.Escape)
	p.wait(`!document.querySelector('main').innerText.includes('index out of range')`)

	p.press("g", "q")
	p.wait(`document.querySelector('[data-queue=mail]')`)
	p.wait(`document.activeElement.dataset.queue === 'mail' || (dispatchEvent(new KeyboardEvent('keydown', { key: 'j' })), false)`)
	p.press("p")
	p.wait(`document.querySelector('dialog input')`)
	p.write("dialog input", "the provider is down")
	p.press(kb.Enter)
	p.wait(`document.querySelector('[data-queue=mail]').innerText.includes('the provider is down')`)
	if q := node.queue("mail"); !q.Paused || q.Reason != "the provider is down" {
		t.Errorf("%+v", q)
	}
	p.click(`document.querySelector('[data-queue=mail] [aria-label="Resume mail"]')`)
	p.wait(`document.querySelector('[data-queue=mail]').dataset.paused === 'false'`)
	p.write("[data-queue=mail] input", "9")
	p.wait(`document.querySelector('[data-queue=mail] .concurrency-effect').innerText.includes('of 9 would run')`)
	p.press(kb.Enter)
	p.wait(`document.querySelector('[data-queue=mail]').innerText.includes('of 9 run')`)
	if q := node.queue("mail"); q.Paused || q.Limit != 9 {
		t.Errorf("%+v", q)
	}

	p.do(blur)
	p.press("g", "n")
	p.wait(`document.querySelector('.tree [title="` + running + `"]')`)
	p.write("input[type=search]", "settler")
	p.wait(`document.querySelectorAll('.tree tbody tr').length === 2`)
	p.write("input[type=search]", running)
	p.wait(`document.querySelectorAll('.tree [title]').length === 1 && document.querySelector('.tree [title="` + running + `"]')`)

	p.do(blur)
	p.press("g", "s")
	p.shows("Who is connected")
	p.write("#watch-topics", "owner:ana")
	p.press(kb.Enter)
	p.wait(`document.querySelector('.probe')?.innerText.includes('hello')`)
	p.wait(`[...document.querySelectorAll('.stream-topics')].some((e) => e.innerText.includes('owner:ana'))`)
	p.looks("duty-probe")
	p.clean(true)
}
