package storetest

import (
	"maps"
	"slices"
	"testing"
)

// tally counts what random commands came to. A run that met too little has proved nothing, and fails.
type tally map[string]int

// either counts one of two; the empty name counts nothing.
func (n tally) either(yes bool, name, other string) {
	if !yes {
		name = other
	}
	if name != "" {
		n[name]++
	}
}

// check logs the counts and wants each of the names to have been met, unless the run is a short one or has failed already.
func (n tally) check(t *testing.T, names ...string) {
	t.Helper()
	if t.Failed() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(n)) {
		t.Logf("%6d %s", n[name], name)
	}
	if testing.Short() {
		return
	}
	for _, name := range names {
		if n[name] == 0 {
			t.Errorf("random commands never met: %s", name)
		}
	}
}
