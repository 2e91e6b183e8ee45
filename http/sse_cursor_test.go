package httpapi

import "testing"

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
