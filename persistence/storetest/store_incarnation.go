package storetest

import (
	"slices"
	"sync"

	"github.com/meta-ad-studio/troupe/persistence"
)

// incarnations draws so many, one after the other, each greater than the last.
func (t *storeTest) incarnations(n int) []int64 {
	t.Helper()
	drawn := make([]int64, n)
	last := int64(0)
	for i := range drawn {
		next, err := t.st.Incarnation(t.ctx)
		if err != nil {
			t.Error(err) // it is called from goroutines
			return nil
		}
		if next <= last {
			t.Errorf("incarnation %d after %d", next, last)
		}
		drawn[i], last = next, next
	}
	return drawn
}

var incarnationCases = []storeCase{
	{"each incarnation is greater than the one before", func(t *storeTest) { t.incarnations(20) }},
	{"many that draw incarnations at once share none", func(t *storeTest) {
		const nodes, each = 8, 12
		var wg sync.WaitGroup
		drawn := make([][]int64, nodes)
		for i := range nodes {
			wg.Go(func() { drawn[i] = t.incarnations(each) })
		}
		wg.Wait()
		all := slices.Concat(drawn...)
		slices.Sort(all)
		if distinct := len(slices.Compact(slices.Clone(all))); distinct != nodes*each {
			t.Errorf("%d different incarnations of %d: %v", distinct, nodes*each, all)
		}
		t.want("a later one is greater than all", t.incarnations(1)[0] > all[len(all)-1], true)
	}},
}

// reopenedIncarnations: a node that starts again is newer than itself.
func reopenedIncarnations(t *storeTest, reopen func() persistence.Store) {
	before := t.incarnations(3)
	t.st = reopen()
	if after := t.incarnations(1); after[0] <= before[2] {
		t.Errorf("incarnation %d after %d and a reopening", after[0], before[2])
	}
}
