package job

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The steps as the document of Backoff states them.
func TestBackoffSteps(t *testing.T) {
	b := Backoff{Base: Duration(time.Second), Max: Duration(10 * time.Second)}
	for _, step := range []struct {
		failures  int
		low, high time.Duration
	}{
		{1, time.Millisecond, time.Second},
		{2, time.Second, 2 * time.Second},
		{3, 2 * time.Second, 4 * time.Second},
		{4, 4 * time.Second, 8 * time.Second},
		{5, 5 * time.Second, 10 * time.Second},
		{6, 5 * time.Second, 10 * time.Second},
		{100, 5 * time.Second, 10 * time.Second},
		{0, time.Millisecond, time.Second},
	} {
		for _, at := range []struct {
			jitter float64
			want   time.Duration
		}{
			{0, step.low},
			{1, step.high},
			{-3, step.low},
			{7, step.high},
			{math.NaN(), step.low},
			{math.Inf(-1), step.low},
			{math.Inf(1), step.high},
		} {
			if got := b.Delay(step.failures, at.jitter); got != at.want {
				t.Errorf("failure %d, jitter %g: %s, want %s", step.failures, at.jitter, got, at.want)
			}
		}
	}
}

// Within any valid policy a wait is positive and bounded, grows with the failures until the ceiling, and spreads over its step.
func TestBackoffBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := rapid.Int64Range(int64(time.Millisecond), int64(MaxBackoffBase)).Draw(t, "base")
		b := Backoff{Base: Duration(base), Max: Duration(rapid.Int64Range(base, int64(MaxBackoffMax)).Draw(t, "max"))}
		jitter := rapid.Float64Range(0, 1).Draw(t, "jitter")
		for n := 1; n <= MaxMaxAttempts; n++ {
			short, wait, long := b.Delay(n, 0), b.Delay(n, jitter), b.Delay(n, 1)
			if short < time.Millisecond || wait < short || long < wait || long > time.Duration(b.Max) {
				t.Fatalf("failure %d of %+v: %s, %s, %s", n, b, short, wait, long)
			}
			if next := b.Delay(n+1, 0); long < time.Duration(b.Max) && next < min(long, time.Duration(b.Max)/2) {
				t.Fatalf("failure %d of %+v: the wait shrinks from %s to %s", n+1, b, long, next)
			}
			if spread := long - short; short > time.Millisecond && spread < long/2-1 {
				t.Fatalf("failure %d of %+v: spreads over %s of %s", n, b, spread, long)
			}
		}
	})
}

// Also what no valid policy holds stays a positive wait.
func TestBackoffWithoutValidation(t *testing.T) {
	for _, b := range []Backoff{{}, {Base: 1, Max: math.MaxInt64}, {Base: math.MaxInt64, Max: math.MaxInt64}, {Base: math.MaxInt64, Max: 1}} {
		for n := range 200 {
			for _, jitter := range []float64{0, 0.5, 1} {
				if got := b.Delay(n, jitter); got < time.Millisecond {
					t.Fatalf("%+v: failure %d, jitter %g: %s", b, n, jitter, got)
				}
			}
		}
	}
}

// A policy is merged with those of its kind and of its queue before the default one: a ceiling that none of them names is the default's, and never
// below the base.
func TestMergedBackoffGrows(t *testing.T) {
	for base, want := range map[time.Duration]time.Duration{
		0:                time.Hour,
		time.Millisecond: time.Hour,
		2 * time.Hour:    2 * time.Hour,
	} {
		p := Policy{Backoff: Backoff{Base: Duration(base)}}.Merge(Policy{}).Merge(Policy{MaxAttempts: 5}).Merge(DefaultPolicy())
		if got := time.Duration(p.Backoff.Max); got != want {
			t.Errorf("base %s: ceiling %s, want %s", base, got, want)
		}
	}
}
