package main

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
)

// The browser has no network for a while, as in a train: the page says so soon, and is right soon after.
func tellOffline(t *testing.T, browser context.Context, troupe string) {
	node, p := startWatched(t, troupe), openTab(t, browser)
	p.visit(node.url("/"))
	p.wait(live)
	short, long := node.video("The tunnel", 20), node.video("The bridge", 30)
	p.filled("The tunnel", 1)
	p.filled("The bridge", 1)

	p.network(false)
	began := time.Now()
	p.wait(`document.querySelector('.connection').dataset.phase === 'reconnecting'`)
	if took := time.Since(began); took > 5500*time.Millisecond {
		t.Errorf("the page said after %s that it is not live", took)
	} else {
		t.Logf("said after %s: %q", took, tabAsk[string](p, `document.querySelector('.connection').innerText`))
	}
	soon(t, "the end of the first job", func() bool { return node.one(short).Status == "completed" })
	if tabAsk[bool](p, `card('The tunnel').dataset.status === 'completed'`) {
		t.Error("the page knows what it can't know")
	}
	p.network(true)
	online := tabAsk[float64](p, `performance.timeOrigin + performance.now()`)
	p.status("The tunnel", "completed")
	p.wait(live)
	seen := p.glimpses("The tunnel")
	late := seen[len(seen)-1].At - online
	t.Logf("right %.0f ms after the network was back", late)
	if late > 2_000 {
		t.Errorf("the page was right after %.0f ms only", late)
	}
	p.status("The bridge", "completed")
	if j := node.one(long); j.Status != "completed" {
		t.Errorf("%+v", j)
	}
	p.forwards()
	p.clean(true)
}

// network takes the network of a tab away, or gives it back.
func (p *tab) network(on bool) {
	p.t.Helper()
	tabCall(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1})
	conditions := []*network.Conditions{}
	if !on {
		conditions = append(conditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	tabCall(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions})
}
