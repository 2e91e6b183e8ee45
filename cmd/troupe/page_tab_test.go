package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a page in the browser, and what the browser says of it.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string // method, path and query
	answers  []string // status, path and query
	dialogs  []string
	errors   []string // of scripts and of the page's policy
	refused  []string // answers of 400 and more, which the browser calls errors, too
}

// openTab opens a tab that shares nothing with others, and does not go anywhere yet.
func openTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	return openTabIn(t, browser, chromedp.WithNewBrowserContext())
}

// openTabIn opens a tab beside those that a context has already.
func openTabIn(t *testing.T, window context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	p := &tab{t: t}
	ctx, cancel := chromedp.NewContext(window, append(options, chromedp.WithListener(p.hear))...)
	p.ctx = ctx
	t.Cleanup(cancel)
	t.Cleanup(func() {
		if t.Failed() {
			p.shot("failed")
		}
	})
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		t.Fatalf("open a tab: %v", err)
	}
	tabCall(p, network.Enable, network.EnableParams{})
	tabCall(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: recorder})
	return p
}

// hear runs for every event, in order.
func (p *tab) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.Method+" "+pathOf(e.Request.URL))
	case *network.EventResponseReceived:
		p.answers = append(p.answers, fmt.Sprint(e.Response.Status, " ", pathOf(e.Response.URL)))
	case *page.EventJavascriptDialogOpening:
		p.dialogs = append(p.dialogs, e.Message)
	case *runtime.EventExceptionThrown:
		p.errors = append(p.errors, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			p.errors = append(p.errors, fmt.Sprintf("console.%s: %s", e.Type, describe(e.Args)))
		}
	case *log.EventEntryAdded:
		line := fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		if e.Entry.Source == log.EntrySourceNetwork {
			p.refused = append(p.refused, line)
		} else if e.Entry.Level == log.EntryLevelError {
			p.errors = append(p.errors, line)
		}
	}
}

func describe(args []*runtime.RemoteObject) string {
	all := make([]string, len(args))
	for i, a := range args {
		all[i] = string(a.Value) + a.Description
	}
	return strings.Join(all, " ")
}

func pathOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// sent counts requests that begin so: "POST /v1/stream".
func (p *tab) sent(prefix string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return begins(p.requests, prefix)
}

// answered counts answers that begin so: "206 /v1/jobs/".
func (p *tab) answered(prefix string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return begins(p.answers, prefix)
}

func begins(lines []string, prefix string) int {
	n := 0
	for _, line := range lines {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// clean fails the test if a dialog opened, the page's policy was violated or a script failed; and with no answers of 400 and more allowed,
// if there was one.
func (p *tab) clean(refusals bool) {
	p.t.Helper()
	violations := tabAsk[[]string](p, `recorded.violations`)
	p.mu.Lock()
	defer p.mu.Unlock()
	bad := slices.Concat(p.dialogs, p.errors, violations)
	if !refusals {
		bad = append(bad, p.refused...)
	}
	if len(bad) > 0 {
		p.t.Errorf("the browser complains:\n%s", strings.Join(bad, "\n"))
	}
}

// do runs actions within the patience of a test.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// visit opens an address in the tab.
func (p *tab) visit(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// wait waits until an expression of the page is true.
func (p *tab) wait(expression string) {
	p.t.Helper()
	_ = tabAsk[bool](p, `until(() => `+expression+`).then(() => true)`)
}

// tabAsk evaluates an expression in the page, a promise to its end.
func tabAsk[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v; the page says:\n%s", expression, err, p.text())
	}
	return value
}

func tabCall[P, R any](p *tab, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		p.t.Fatalf("%+v: %v", params, err)
	}
	return result
}

// text is what a person can read.
func (p *tab) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

type point struct{ X, Y float64 }

// where is the middle of an element, once it is there and nothing is before it.
func (p *tab) where(element string) point {
	p.t.Helper()
	return tabAsk[point](p, `until(() => {
		const e = `+element+`;
		if (!e) return null;
		e.scrollIntoView({ block: 'center' });
		const { left, top, width, height } = e.getBoundingClientRect();
		const [X, Y] = [left + width / 2, top + height / 2];
		const front = document.elementFromPoint(X, Y);
		return front && (e === front || e.contains(front) || front.contains(e)) ? { X, Y } : null;
	})`)
}

// click clicks on an element with the mouse.
func (p *tab) click(element string) {
	p.t.Helper()
	at := p.where(element)
	p.do(chromedp.MouseClickXY(at.X, at.Y))
}

// write puts a text into a field, as a paste does.
func (p *tab) write(selector, text string) {
	p.t.Helper()
	p.do(chromedp.Focus(chromedp.CSS(selector)))
	_ = tabAsk[bool](p, `(document.activeElement.select(), true)`)
	tabCall(p, input.InsertText, input.InsertTextParams{Text: text})
}

// order orders a video with the form and waits until its card is there.
func (p *tab) order(prompt string) {
	p.t.Helper()
	p.write("textarea", prompt)
	p.click(`button('Make video')`)
	first, _, _ := strings.Cut(prompt, "\n")
	p.wait(`card(` + quoted(first) + `)`)
	p.wait(`document.querySelector('textarea').value === ''`) // the answer is there: the next order may be written
}

// status waits until the card with this text in its prompt has a status.
func (p *tab) status(text, status string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`card(%s)?.dataset.status === %s`, quoted(text), quoted(status)))
}

// filled waits until a card is filled to a percentage, or all done.
func (p *tab) filled(text string, percent int) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`(c => c?.dataset.status === 'completed' || Number(c?.querySelector('[role=progressbar]')?.ariaValueNow) >= %d)(card(%s))`,
		percent, quoted(text)))
}

// shot keeps a screenshot among the test's artifacts.
func (p *tab) shot(name string) {
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Logf("screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(p.t.ArtifactDir(), name+".png"), png, 0o600); err != nil {
		p.t.Logf("screenshot: %v", err)
	}
}

// quoted is a text as a literal of JavaScript.
func quoted(text string) string {
	data, _ := json.Marshal(text) // of a string it never fails
	return string(data)
}
