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
	bridge := node.video("The bridge", 30)
	p.filled("The bridge", 1)

	p.network(false)
	began := time.Now()
	p.wait(`document.querySelector('.connection').dataset.phase === 'reconnecting'`)
	if took := time.Since(began); took > 5500*time.Millisecond {
		t.Errorf("the page said after %s that it is not live", took)
	} else {
		t.Logf("said after %s: %q", took, tabAsk[string](p, `document.querySelector('.connection').innerText`))
	}
	tunnel := node.video("The tunnel", 2) // from another device
	soon(t, "the end of both", func() bool { return node.one(tunnel).Status == "completed" && node.one(bridge).Status == "completed" })
	if n := tabAsk[int](p, `document.querySelectorAll('.card').length`); n != 1 {
		t.Errorf("%d cards without a network", n)
	}
	p.network(true)
	late := tabAsk[float64](p, `(async (began) => {
		await until(() => card('The tunnel')?.dataset.status === 'completed' && card('The bridge').dataset.status === 'completed' && `+live+`);
		return performance.now() - began;
	})(performance.now())`)
	t.Logf("right %.0f ms after the network was back", late)
	if late > 2_000 {
		t.Errorf("the page was right after %.0f ms only", late)
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
