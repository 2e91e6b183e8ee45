package main

import (
	"slices"
	"strings"
	"time"
)

// glimpses are the changes of the card with this text in its prompt, in order.
func (p *tab) glimpses(text string) []glimpse {
	p.t.Helper()
	all := tabAsk[[]glimpse](p, `recorded.cards`)
	found := slices.DeleteFunc(all, func(g glimpse) bool { return !strings.Contains(g.Title, text) })
	if len(found) == 0 {
		p.t.Fatalf("no card with %q was seen", text)
	}
	return found
}

// forwards makes sure that no card ever went back, other than for a new run of its job.
func (p *tab) forwards() {
	p.t.Helper()
	last := map[int]glimpse{}
	for _, g := range tabAsk[[]glimpse](p, `recorded.cards`) {
		before := last[g.Card]
		ended := before.Status == "completed" || before.Status == "cancelled" || before.Status == "failed"
		if g.Percent < before.Percent && !ended && g.Status != "cancelled" && g.Status != "failed" {
			p.t.Errorf("%q went back from %g to %g percent, %s", g.Title, before.Percent, g.Percent, g.Status)
		}
		last[g.Card] = g
	}
}

// timely logs how soon after what happened the page showed it, by the server's times; both are on one machine. The bound is generous: it
// tells a stream from asking every few seconds.
func (p *tab) timely(node *child, titles ...string) {
	p.t.Helper()
	var late []float64
	for _, title := range titles {
		j, seen := node.job(title), p.glimpses(title)
		at := func(is func(glimpse) bool) float64 {
			i := slices.IndexFunc(seen, is)
			if i < 0 {
				p.t.Fatalf("%q: not all states were seen: %+v", title, seen)
			}
			return seen[i].At
		}
		progress := at(func(g glimpse) bool { return g.Percent > 0 }) - milliseconds(j.CreatedAt)
		p.t.Logf("%s: from accepted to the first progress on the page: %.1f ms", title, progress)
		late = append(late,
			at(func(g glimpse) bool { return g.Status == "processing" })-milliseconds(j.StartedAt),
			at(func(g glimpse) bool { return g.Status == "completed" })-milliseconds(j.CompletedAt))
	}
	slices.Sort(late)
	p.t.Logf("from a transition to the page, %d of them: p50 %.1f ms, all %.1f", len(late), late[len(late)/2], late)
	if median := late[len(late)/2]; median > 2000 {
		p.t.Errorf("half of the transitions were on the page after %.0f ms", median)
	}
}

func milliseconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }
