package local

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

func TestOnce(t *testing.T) {
	storetest.Once(t, func(*testing.T) (a, b persistence.Once) {
		o := NewOnce()
		return o, o
	})
}

// A mark that stands is kept; the bound is met by refusing more, and passes with time.
func TestMarksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := NewOnce()
		for i := range MaxMarks {
			if first, err := o.Spend(t.Context(), fmt.Sprint(i), time.Minute); !first || err != nil {
				t.Fatalf("mark %d: %v, %v", i, first, err)
			}
		}
		if _, err := o.Spend(t.Context(), "more", time.Minute); !errors.Is(err, persistence.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		if first, err := o.Spend(t.Context(), "0", time.Minute); first || err != nil {
			t.Errorf("the first mark was dropped: %v", err)
		}
		time.Sleep(time.Minute)
		if first, err := o.Spend(t.Context(), "more", time.Minute); !first || err != nil {
			t.Errorf("after their time: %v, %v", first, err)
		}
		if len(o.until) != 1 {
			t.Errorf("%d marks are kept", len(o.until))
		}
	})
}
