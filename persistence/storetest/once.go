package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Once runs the suite on the pairs that open gives: two nodes over the same marks, without any at first. A driver for a
// single node gives the same twice.
func Once(t *testing.T, open func(t *testing.T) (a, b persistence.Once)) {
	for _, c := range onceCases {
		t.Run(c.name, func(t *testing.T) {
			a, b := open(t)
			c.run(&onceTest{t, testContext(t), a, b})
		})
	}
}

type onceCase struct {
	name string
	run  func(*onceTest)
}

type onceTest struct {
	*testing.T
	ctx  context.Context
	a, b persistence.Once
}

func (t *onceTest) spend(on persistence.Once, key string, stay time.Duration) bool {
	t.Helper()
	first, err := on.Spend(t.ctx, key, stay)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func (t *onceTest) spent(on persistence.Once, key string) bool {
	t.Helper()
	spent, err := on.Spent(t.ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	return spent
}

var onceCases = []onceCase{
	{"a key is spent once, at whichever node", func(t *onceTest) {
		if t.spent(t.a, "k") || t.spent(t.b, "k") {
			t.Error("spent before")
		}
		if !t.spend(t.a, "k", long) {
			t.Error("the first is not the first")
		}
		for _, on := range []persistence.Once{t.a, t.b} {
			if t.spend(on, "k", long) {
				t.Error("spent twice")
			}
			if !t.spent(on, "k") {
				t.Error("not known to be spent")
			}
		}
	}},
	{"keys are apart, to the byte", func(t *onceTest) {
		keys := []string{"k", "K", "k ", "k\n", "k:{a}", "k:{b}", "k\x00", "🎬", strings.Repeat("k", persistence.MaxOnceKey)}
		for _, key := range keys {
			if !t.spend(t.a, key, long) {
				t.Errorf("%q was spent by another", key)
			}
		}
		for _, key := range keys {
			if t.spend(t.b, key, long) {
				t.Errorf("%q was forgotten", key)
			}
		}
	}},
	{"a mark stays for its time and not longer", func(t *onceTest) {
		t.spend(t.a, "k", short)
		eventually(t, "the mark is gone", func() bool { return !t.spent(t.b, "k") })
		if !t.spend(t.b, "k", long) {
			t.Error("a mark that had gone was found")
		}
	}},
	{"looking for a mark leaves none, and makes none stand longer", func(t *onceTest) {
		const stay = 150 * time.Millisecond
		t.spend(t.a, "k", stay)
		began := time.Now()
		eventually(t, "the mark is gone", func() bool {
			if time.Since(began) < stay/2 {
				t.spend(t.b, "k", long) // in vain
			}
			return !t.spent(t.b, "k")
		})
		if !t.spend(t.a, "k", long) {
			t.Error("spent by looking")
		}
	}},
	{"of many at once one is the first", func(t *onceTest) {
		for round := range 10 {
			var wins atomic.Int64
			var wg sync.WaitGroup
			key := fmt.Sprint(round)
			for i := range 20 {
				on := t.a
				if i%2 == 1 {
					on = t.b
				}
				wg.Go(func() {
					if first, err := on.Spend(t.ctx, key, long); err != nil {
						t.Error(err)
					} else if first {
						wins.Add(1)
					}
				})
			}
			if wg.Wait(); wins.Load() != 1 {
				t.Errorf("%d were the first", wins.Load())
			}
		}
	}},
	{"what can't be a key or a time is refused", func(t *onceTest) {
		for _, key := range []string{"", strings.Repeat("k", persistence.MaxOnceKey+1)} {
			if _, err := t.a.Spend(t.ctx, key, long); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("a key of %d bytes: %v", len(key), err)
			}
			if _, err := t.a.Spent(t.ctx, key); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("a key of %d bytes: %v", len(key), err)
			}
		}
		for _, stay := range []time.Duration{0, -time.Second, time.Microsecond} {
			if _, err := t.a.Spend(t.ctx, "k", stay); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("for %s: %v", stay, err)
			}
		}
		if t.spent(t.a, "k") {
			t.Error("what was refused left a mark")
		}
	}},
	{"an ended context spends nothing", func(t *onceTest) {
		ctx, cancel := context.WithCancel(t.ctx)
		cancel()
		_, err := t.a.Spend(ctx, "k", long)
		expectEnded(t.T, "Spend", err)
		_, err = t.a.Spent(ctx, "k")
		expectEnded(t.T, "Spent", err)
		if t.spent(t.b, "k") {
			t.Error("it was spent")
		}
	}},
}
