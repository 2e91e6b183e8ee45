package fencemodel

import (
	"strings"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Each rule is needed: without it the walk finds a history that breaks a promise. The history is printed.
func TestMutantsFail(t *testing.T) {
	rolledBack := faults{expiries: 1, snapshots: 1, rollbacks: 1}
	for _, m := range []struct {
		name   string
		limits faults
		broken string // the property, as the violation begins
		mutate func(p *protocol)
	}{
		{"no fence", faults{expiries: 1}, "P-one", func(p *protocol) {
			p.admits = func(_, _ persistence.Fence) bool { return true }
		}},
		{"the token alone decides, not its owner", rolledBack, "P-fence", func(p *protocol) {
			p.checkpoints = 1
			p.admits = func(row, write persistence.Fence) bool {
				write.Node = row.Node
				return row.Admits(write)
			}
		}},
		{"the rev does not count", faults{lost: 1}, "P-rev", func(p *protocol) {
			p.admits = func(row, write persistence.Fence) bool {
				row.Rev = write.Rev - 1
				return row.Admits(write)
			}
		}},
		{"a terminal row can be overwritten", faults{expiries: 1}, "P-one", func(p *protocol) {
			p.admits = func(row, write persistence.Fence) bool {
				row.Status = write.Status
				return row.Admits(write) || write.Status.Terminal() && write.Token > row.Token
			}
		}},
		{"settled before committed", faults{crashes: 1}, "P-notlost", func(p *protocol) { p.settleFirst = true }},
		{"refilled without the row's token", faults{expiries: 1, flushes: 1}, "P-bound", func(p *protocol) { p.noFloor, p.refusal = true, rebase }},
		{"a redrive lowers the inbox's token", faults{crashes: 1, expiries: 1}, "P-nostale", func(p *protocol) {
			p.lifeResets, p.request, p.refusal = true, "redrive", giveBack
		}},
		{"a write in force is known by its fence alone", rolledBack, "P-truth", func(p *protocol) { p.inForceByTime = false }},
		{"a node that starts again keeps its name", faults{crashes: 1, lost: 1, snapshots: 1, rollbacks: 1}, "P-fence", func(p *protocol) {
			p.sameName, p.checkpoints = true, 1
		}},
		{"two actors of the job under one name", rolledBack, "P-fence", func(p *protocol) { p.oneName, p.checkpoints = true, 1 }},
		{"every claim begins from the envelope", faults{}, "P-bound", func(p *protocol) { p.unread = true }},
		{"an actor ends before the journal has answered", rolledBack, "", func(p *protocol) { p.endEarly, p.checkpoints = true, 2 }},
	} {
		t.Run(m.name, func(t *testing.T) {
			p := sound(2, 2, m.limits)
			p.only, p.claimLimit = m.broken, 9
			m.mutate(p)
			r := walk(p)
			if r.violation == "" || !strings.HasPrefix(r.violation, m.broken) {
				t.Fatalf("want a history that breaks %s: %s", m.broken, r)
			}
			t.Log(r)
		})
	}
}
