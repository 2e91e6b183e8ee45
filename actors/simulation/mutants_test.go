package simulation

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/reference"
)

// mutant is a mistake in the servers, which the ledger must find.
type mutant struct {
	inbox, store string // faults of package reference
	lateCommits  bool
}

// hastyStore answers before it commits.
type hastyStore struct{ *reference.Store }

func (s hastyStore) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	outcomes := make([]persistence.Outcome, len(writes))
	for i := range outcomes {
		outcomes[i].Applied = true
	}
	go func() {
		time.Sleep(100 * time.Millisecond)
		_, _ = s.Store.Commit(context.WithoutCancel(ctx), writes)
	}()
	return outcomes, nil
}

func TestMistakesOfServersAreFound(t *testing.T) {
	for name, m := range map[string]struct {
		mutant
		rules []string // one of them is broken
	}{
		"a store without a fence":                        {mutant{store: "no fence"}, []string{"I2", "I3", "publish after commit"}},
		"a store that answers before it commits":         {mutant{lateCommits: true}, []string{"ack after commit", "publish after commit"}},
		"an inbox that takes back the leases of anybody": {mutant{inbox: "the leases of anybody"}, []string{"I8"}},
		"an inbox that knows no limit":                   {mutant{inbox: "no limit"}, []string{"limit"}},
		"an inbox that counts no crashes":                {mutant{inbox: "crashes are not counted"}, []string{"I1", "I5"}},
		"an inbox that binds no keys":                    {mutant{inbox: "keys are not bound"}, []string{"I6"}},
	} {
		t.Run(name, func(t *testing.T) {
			if underRace {
				t.Skip("what is raced is the same as in a simulation without mistakes")
			}
			found := simulate(t, plan{seed: 1, nodes: 12, storm: 90 * time.Second, jobs: 600, limit: 2, mutant: m.mutant})
			if !slices.ContainsFunc(found.broken, func(b string) bool {
				return slices.ContainsFunc(m.rules, func(rule string) bool { return strings.HasPrefix(b, rule+" ") })
			}) {
				t.Errorf("not found: of %v none is among %q", m.rules, found.broken)
			} else {
				t.Logf("%d found, as %s", len(found.broken), found.broken[0])
			}
		})
	}
}
