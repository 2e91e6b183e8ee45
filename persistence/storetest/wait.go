package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meta-ad-studio/troupe/persistence"
)

const (
	testWithin = 2 * time.Minute // one subtest
	waitWithin = 20 * time.Second
	pollEvery  = 2 * time.Millisecond
)

// long is a lease, or a way off, that no test sees the end of; short is one that has ended when a test next looks.
const (
	long  = time.Hour
	short = time.Millisecond
)

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), testWithin)
	t.Cleanup(cancel)
	return ctx
}

// fataler is what *testing.T and *rapid.T have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// eventually asks until the answer is yes.
func eventually(t fataler, what string, yes func() bool) {
	t.Helper()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for deadline := time.Now().Add(waitWithin); !yes(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", waitWithin, what)
		}
	}
}

// expectEnded checks what a method says whose context had ended before.
func expectEnded(t *testing.T, method string, err error) {
	t.Helper()
	if !errors.Is(err, context.Canceled) && !errors.Is(err, persistence.ErrUnavailable) {
		t.Errorf("%s under an ended context: %v, want context.Canceled or ErrUnavailable", method, err)
	}
}

// watching runs a method that lasts until its context ends, and returns what ends it: it must return soon then, with no
// error but the context's.
func watching(t *testing.T, ctx context.Context, method string, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	result := make(chan error, 1)
	go func() { result <- run(ctx) }()
	stopped := false
	stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-result:
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("%s ended with %v", method, err)
			}
		case <-time.After(waitWithin):
			t.Errorf("%s did not return %s after its context's end", method, waitWithin)
		}
	}
	t.Cleanup(stop)
	return stop
}

// sameBytes takes nil and empty for alike, and compares bytes (of any type) at once: one by one, as cmp does with slices, large
// texts would take most of the suite's time.
var sameBytes = cmp.Options{
	cmpopts.EquateEmpty(),
	cmp.FilterValues(func(a, b []byte) bool { return len(a)+len(b) > 0 }, cmp.Comparer(bytes.Equal)),
}
