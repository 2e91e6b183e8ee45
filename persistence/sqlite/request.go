package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/meta-ad-studio/troupe/persistence"
)

// request is one change on its way through the writer.
type request struct {
	doing string
	rows  int // about how many rows it touches
	// run makes the change. It may be run twice, so it must set what it answers anew each time. An error undoes all that it wrote.
	run   func(*change) error
	state atomic.Int32
	err   error
	done  chan struct{} // closed when err and the answers stand
}

// A request is waiting, and then either taken by the writer or given up by its caller, whichever is first.
const (
	requestWaiting = iota
	requestTaken
	requestAbandoned
)

func (r *request) take() bool { return r.state.CompareAndSwap(requestWaiting, requestTaken) }

func (r *request) abandon() bool { return r.state.CompareAndSwap(requestWaiting, requestAbandoned) }

func (r *request) answer(err error) {
	if err != nil {
		r.err = fmt.Errorf("%s: %w", r.doing, err)
	}
	close(r.done)
}

// do has the writer make a change and returns when it is on disk. If the context ends before the writer has begun, nothing was
// written; once it has begun, do waits for it, which takes no longer than a commit or two.
func (w *writer) do(ctx context.Context, doing string, rows int, run func(*change) error) error {
	if err := ctx.Err(); err != nil {
		return gaveUp(ctx, doing)
	}
	r := &request{doing: doing, rows: rows, run: run, done: make(chan struct{})}
	select {
	case <-w.closing:
		return fmt.Errorf("%s: %w", doing, errClosed)
	default:
	}
	select {
	case w.requests <- r:
	case <-w.closing:
		return fmt.Errorf("%s: %w", doing, errClosed)
	case <-ctx.Done():
		return gaveUp(ctx, doing)
	}
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		if r.abandon() {
			return gaveUp(ctx, doing)
		}
	case <-w.stopped:
		if r.abandon() {
			return fmt.Errorf("%s: %w", doing, errClosed)
		}
	}
	<-r.done
	return r.err
}

func gaveUp(ctx context.Context, doing string) error {
	return fmt.Errorf("%s: %w: %w", doing, persistence.ErrUnavailable, context.Cause(ctx))
}
