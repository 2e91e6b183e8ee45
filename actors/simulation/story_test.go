package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// maxStories bounds the jobs whose stories are told after a simulation that broke promises.
const maxStories = 4

// stories tell all that is known of the jobs whose promises were broken. Call it under the lock.
func (l *ledger) stories() []string {
	var told []string
	for id := range l.byJob {
		if len(told) < maxStories && slices.ContainsFunc(l.broken, func(b string) bool { return strings.Contains(b, id.String()) }) {
			told = append(told, l.story(id))
		}
	}
	return told
}

func (l *ledger) story(id job.ID) string {
	var s strings.Builder
	since := func(t time.Time) time.Duration { return t.Sub(l.began0).Round(time.Millisecond) }
	fmt.Fprintf(&s, "job %s\n", id)
	if a := l.acks[id]; a != nil {
		fmt.Fprintf(&s, "  asked for as %+v, accepted at %s, exposed %v\n", a.order, since(a.acked), a.exposed)
	}
	history, _ := l.cluster.store.History(context.Background(), id)
	for _, h := range history {
		fmt.Fprintf(&s, "  %10s row  %s → %s rev %d life %d attempt %d token %d on %s %q\n", since(h.At), h.Event, h.Status, h.Rev, h.Life, h.Attempt, h.Token, h.Node, h.Note)
	}
	for _, r := range l.byJob[id] {
		end, told := "", ""
		if !r.end.IsZero() {
			end = fmt.Sprintf(", %s at %s", r.outcome, since(r.end))
		}
		if !r.toldAt.IsZero() {
			told = fmt.Sprintf(", told at %s: %v", since(r.toldAt), r.cause)
		}
		fmt.Fprintf(&s, "  %10s run  life %d attempt %d token %d on %s%s%s\n", since(r.start), r.life, r.attempt, r.token, r.node, told, end)
		for _, w := range l.windows {
			if w.node == r.node && w.to.After(r.start.Add(-3*lease)) && (r.end.IsZero() || w.from.Before(r.end)) {
				fmt.Fprintf(&s, "             %s until %s: %s\n", since(w.from), since(w.to), w.what)
			}
		}
	}
	for token, at := range l.claims[id] {
		fmt.Fprintf(&s, "  %10s claim token %d\n", since(at), token)
	}
	for _, c := range l.cancels {
		if c.id == id {
			fmt.Fprintf(&s, "  %10s cancel answered: %s in life %d\n", since(c.at), c.status, c.life)
		}
	}
	for _, w := range l.windows {
		if w.node == "" {
			fmt.Fprintf(&s, "  %10s until %s: %s\n", since(w.from), since(w.to), w.what)
		}
	}
	return s.String()
}
