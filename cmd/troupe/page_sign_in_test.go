package main

import (
	"context"
	"strings"
	"testing"
)

// Behind a token the page shows nothing until a person has signed in.
func tellSignIn(t *testing.T, browser context.Context, troupe string) {
	node, p := startChild(t, troupe, "serve", "--token", "open-sesame"), openTab(t, browser)
	node.token = "open-sesame"
	node.video("The secret garden", 2)
	closed := func() {
		t.Helper()
		p.wait(`document.querySelector('.sign-in input')`)
		answers := tabAsk[[]int](p, `Promise.all(['/v1/jobs', '/v1/stream?topic=all', '/v1/queues', '/metrics']
			.map((path) => fetch(path).then((r) => r.status)))`)
		for _, status := range answers {
			if status != 401 {
				t.Errorf("a stranger is answered %v", answers)
				break
			}
		}
		if text := p.text(); strings.Contains(text, "secret garden") || tabAsk[int](p, `document.querySelectorAll('.card').length`) != 0 {
			t.Errorf("a stranger reads:\n%s", text)
		}
	}
	p.visit(node.url("/"))
	closed()
	p.looks("sign-in")
	p.click(`button('Sign in')`)
	p.wait(`document.querySelector('.sign-in [role=alert]').innerText === 'Paste your access token here.'`)
	p.write(".sign-in input", "open-barley")
	p.click(`button('Sign in')`)
	p.wait(`document.querySelector('.sign-in [role=alert]').innerText.startsWith('This token isn’t known here.')`)
	closed()
	p.write(".sign-in input", "open-sesame")
	p.click(`button('Sign in')`)
	p.wait(`card('The secret garden') && !document.querySelector('.sign-in') && ` + live)
	p.status("The secret garden", "completed") // its artifacts are behind the session, too
	p.plays("The secret garden", 2)
	kept := tabAsk[string](p, `document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)`)
	if strings.Contains(kept, "session") || strings.Contains(kept, "sesame") || strings.Contains(kept, "garden") {
		t.Errorf("scripts can read %s", kept)
	}
	p.do(reload)
	p.wait(`card('The secret garden') && ` + live)
	_ = tabAsk[int](p, `fetch('/v1/session', { method: 'DELETE' }).then((r) => r.status)`)
	p.do(reload)
	closed()
	p.clean(true)
}
