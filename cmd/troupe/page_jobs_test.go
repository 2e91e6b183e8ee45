package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// rows are the rows of the list of jobs.
const rows = `[...document.querySelectorAll('main tbody tr')]`

// What somebody does who looks for a job: watches the list, which changes in place and does not jump; takes in what is new with a key;
// searches, also wrongly; opens one and sees it lose its node, go on, be cancelled and begin anew.
func tellJobs(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "dev"), openTab(t, browser)
	var sleeper, nothing shownJob
	node.ask(http.MethodPost, "/v1/jobs", []byte(`{"kind":"sample.sleep","payload":{"ms":600000,"steps":1200},"tags":["slow"]}`), &sleeper)
	p.visit(node.url("/ops/jobs"))
	p.settled()
	p.wait(rows + `.length === 1`)
	p.wait(`Number(` + rows + `[0].querySelector('[role=progressbar]')?.ariaValueNow) >= 1`)
	lists := p.sent("GET /v1/jobs?")

	for range 3 {
		node.ask(http.MethodPost, "/v1/jobs", []byte(`{"kind":"sample.noop","payload":{"campaign":"spring sale"}}`), &nothing)
	}
	node.ask(http.MethodPost, "/v1/jobs", []byte(`{"kind":"sample.fail","max_attempts":1,"payload":{"error":"<img src=x onerror=alert(1)>\u202egnp"}}`), &nothing)
	p.shows("4 new jobs")
	if n := tabAsk[int](p, rows+`.length`); n != 1 || p.sent("GET /v1/jobs?") != lists {
		t.Errorf("%d rows after %d more lists, before anybody asked for what is new", n, p.sent("GET /v1/jobs?")-lists)
	}
	p.do(blur)
	p.press(".")
	p.wait(rows + `.length === 5`)

	p.press("/")
	p.wait(`document.activeElement.id === 'job-search'`)
	p.write("#job-search", `payload.campaign:"spring sale" status:completed`)
	p.press(kb.Enter)
	p.wait(rows + `.length === 3 && location.search.includes('q=')`)
	p.write("#job-search", "statuss:x")
	p.press(kb.Enter)
	p.wait(`document.querySelector('.search [role=alert]').innerText.includes('statuss')`)
	p.looks("jobs-refused")
	p.write("#job-search", "status:failed")
	p.press(kb.Enter)
	p.wait(rows + `.length === 1`)
	p.do(blur)
	p.press("j", kb.Enter)
	p.shows("<img src=x onerror=alert(1)>")
	p.looks("job-failed")
	p.press("r")
	p.wait(`document.querySelector('.facts').innerText.includes('Life')`)

	p.visit(node.url("/ops/jobs/" + sleeper.ID))
	p.settled()
	p.shows("step 3 of 1200")
	p.wait(`document.querySelectorAll('.log-line').length >= 3`)
	node.kill()
	p.wait(`document.querySelector('.connection[data-phase=reconnecting]')`)
	node.start()
	p.shows("Lost with its node")
	p.wait(`document.querySelector('.span[data-end=lost]') && document.querySelector('.span[data-end=open]')`)
	p.looks("job-lost")
	p.do(blur)
	p.press("c")
	p.click(`button('Cancel the job', document.querySelector('dialog'))`)
	p.wait(`document.querySelector('.page-actions .badge').dataset.status === 'cancelled'`)
	p.press("r")
	p.wait(`document.querySelector('.page-actions .badge').dataset.status === 'processing'`)
	p.clean(true)
}
