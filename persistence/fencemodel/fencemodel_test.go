package fencemodel

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/meta-ad-studio/troupe/persistence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sound is the protocol with all its rules.
func sound(maxAttempts, maxCrashes uint8, limits faults) *protocol {
	return &protocol{
		core: newCore(int(maxAttempts), int(maxCrashes)), maxAttempts: maxAttempts, maxCrashes: maxCrashes, limits: limits,
		refusal: giveBack, admits: persistence.Fence.Admits, inForceByTime: true,
	}
}

// Every promise holds in every state that the faults of each walk can lead to. The claims are P-bound: how many there can be
// at most, which is reached.
func TestEveryHistoryKeepsThePromises(t *testing.T) {
	happened := map[string]bool{}
	states := 0
	for _, w := range []struct {
		name                 string
		attempts, maxCrashes uint8
		limits               faults
		checkpoints          uint8
		request              string
		refusal              verb
		claims               uint8
	}{
		{name: "two nodes die", attempts: 2, maxCrashes: 1, limits: faults{crashes: 2, expiries: 1}, claims: 5},
		{name: "replies are lost", attempts: 2, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1, lost: 1}, claims: 4},
		{name: "replies are lost twice", attempts: 2, maxCrashes: 2, limits: faults{expiries: 1, lost: 2}, claims: 3},
		{name: "drained, and claimed beside a living actor", attempts: 2, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1, again: 1, drains: 1}, claims: 5},
		{name: "rolled back", attempts: 2, maxCrashes: 2, limits: faults{expiries: 1, snapshots: 1, rollbacks: 1}, checkpoints: 1, claims: 7},
		{name: "rolled back, and put back by a rebase", attempts: 2, maxCrashes: 2, limits: faults{expiries: 1, snapshots: 1, rollbacks: 1}, refusal: rebase, claims: 9},
		{name: "rolled back, a reply lost", attempts: 1, maxCrashes: 2, limits: faults{expiries: 1, lost: 1, snapshots: 1, rollbacks: 1}, claims: 5},
		{name: "rolled back, claimed beside a living actor", attempts: 2, maxCrashes: 2, limits: faults{again: 1, snapshots: 1, rollbacks: 1}, checkpoints: 1, claims: 5},
		{name: "rolled back, a node dies", attempts: 1, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1, snapshots: 1, rollbacks: 1}, claims: 7},
		{name: "rolled back, a node dies, another attempt", attempts: 2, maxCrashes: 2, limits: faults{crashes: 1, snapshots: 1, rollbacks: 1}, checkpoints: 1, claims: 7},
		{name: "emptied", attempts: 2, maxCrashes: 2, limits: faults{expiries: 1, flushes: 1}, checkpoints: 1, claims: 7},
		{name: "emptied, and put back by a rebase", attempts: 2, maxCrashes: 2, limits: faults{expiries: 1, flushes: 1}, refusal: rebase, claims: 9},
		{name: "emptied, a node dies", attempts: 1, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1, flushes: 1}, claims: 7},
		{name: "emptied and rolled back", attempts: 2, maxCrashes: 2, limits: faults{snapshots: 1, rollbacks: 1, flushes: 1}, claims: 8},
		{name: "emptied, rolled back, a node dies", attempts: 1, maxCrashes: 2, limits: faults{crashes: 1, snapshots: 1, rollbacks: 1, flushes: 1}, claims: 9},
		{name: "cancelled", attempts: 2, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1}, request: "cancel", claims: 4},
		{name: "cancelled, rolled back", attempts: 2, maxCrashes: 2, limits: faults{snapshots: 1, rollbacks: 1}, request: "cancel", claims: 5},
		{name: "hastened", attempts: 2, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1}, request: "hasten", claims: 5},
		{name: "hastened, rolled back", attempts: 2, maxCrashes: 2, limits: faults{snapshots: 1, rollbacks: 1}, request: "hasten", claims: 7},
		{name: "redriven", attempts: 1, maxCrashes: 2, limits: faults{crashes: 1, expiries: 1}, request: "redrive", claims: 7},
		{name: "redriven, rolled back", attempts: 1, maxCrashes: 2, limits: faults{snapshots: 1, rollbacks: 1}, request: "redrive", claims: 6},
		{name: "redriven, emptied", attempts: 1, maxCrashes: 2, limits: faults{flushes: 1}, request: "redrive", claims: 5},
	} {
		t.Run(w.name, func(t *testing.T) {
			if underRace {
				w.limits.expiries, w.limits.lost, w.checkpoints = 0, min(w.limits.lost, 1), 0
			}
			p := sound(w.attempts, w.maxCrashes, w.limits)
			p.claimLimit, p.checkpoints, p.request = w.claims, w.checkpoints, w.request
			if w.refusal != keep {
				p.refusal = w.refusal
			}
			began := time.Now()
			r := walk(p)
			if r.violation != "" {
				t.Fatal(r)
			}
			if p.maxClaims != w.claims && !underRace {
				t.Errorf("at most %d claims, and %d are stated", p.maxClaims, w.claims)
			}
			t.Logf("%s; at most %d claims; the inbox at most %d tokens behind at a refusal (%s)", r, p.maxClaims, p.maxGap, time.Since(began).Round(time.Millisecond))
			states += r.states
			maps.Copy(happened, r.happened)
		})
	}
	t.Logf("%d states in all", states)
	for _, what := range []string{
		"A dies", "B dies", "A' claims", "B restores its lease", "the reconciler refills", "a late write lands", "A notices that its lease is lost",
		"B settles: ack", "B settles: delay", "B settles: return", "B settles: rebase", "B puts the job back under the row's token",
		"a lease that nobody renews ends and is reaped", "the lease of a living holder ends and is reaped", "A drains", "B is asked to cancel",
		"the API tells the inbox to cancel", "the API tells the inbox to hasten", "the API tells the inbox to redrive",
	} {
		if !happened[what] && (!underRace || !strings.HasPrefix(what, "the lease of a living")) {
			t.Errorf("in no walk %q: the walks show less than they say; there were %q", what, slices.Sorted(maps.Keys(happened)))
		}
	}
}
