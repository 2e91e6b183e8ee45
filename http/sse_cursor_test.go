package httpapi

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/meta-ad-studio/troupe/actors"
)

// A connection may be cut after any frame: the id that the client then has must promise no more than was sent.
func TestPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.Int64Range(0, 50).Draw(t, "before")
		seqs := rapid.SliceOfDistinct(rapid.Int64Range(0, 100), func(n int64) int64 { return n }).Draw(t, "seqs")
		updates := make([]*actors.Update, len(seqs))
		top := before
		for i, n := range seqs {
			updates[i] = &actors.Update{Seq: n}
			top = max(top, n)
		}
		safe := promises(before, updates)
		last := before
		for i, promised := range safe {
			if promised < last {
				t.Fatalf("promise %d goes back from %d to %d", i, last, promised)
			}
			last = promised
			for _, later := range seqs[i+1:] {
				if later > before && later <= promised {
					t.Fatalf("after frame %d of %v, %d is promised, and %d was not sent", i, seqs, promised, later)
				}
			}
		}
		if len(safe) > 0 && last != top {
			t.Fatalf("at the end %d is promised, want %d", last, top)
		}
	})
}

func TestCursor(t *testing.T) {
	for _, want := range []cursor{{"7QK2", 0, 0}, {"7QK2", 81234, 0}, {"x", 5, 3000042}} {
		if got := parseCursor(want.String()); got != want {
			t.Errorf("%s came back as %+v", want, got)
		}
	}
	for _, bad := range []string{"", "x", "-5", "x-", "x--1", "x-1-", "x-1-y", "x-1-2-3", "x-99999999999999999999", "x- 1"} {
		if got := parseCursor(bad); got != (cursor{}) {
			t.Errorf("%q was read as %+v", bad, got)
		}
	}
}
