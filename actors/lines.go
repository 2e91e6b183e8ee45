package actors

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// lineWriter writes what handlers say, the lines of many jobs in one transaction. It writes behind: a line is in the store at most about
// linesEvery after it was said, and before its attempt's end is recorded, so that nobody sees a job end before its last line. What a node
// had not written when it was killed is lost.
//
// Each attempt that speaks has a spool; those that are silent have nothing, and cost nothing. A spool is bounded: who
// speaks faster than the store takes it waits in its own call, and nobody else does. While the store is down lines wait in their spools and are written
// when it is back.
//
// One goroutine writes (run), one tells other nodes which jobs have new lines (tell).
type lineWriter struct {
	app   *App
	wake  chan struct{} // holds one: there is something to write
	hurry chan struct{} // holds one: somebody waits for it to be written
	bytes atomic.Int64  // in all spools

	mu    sync.Mutex
	dirty []*spool // with lines to write, in the order in which they got them

	news newsOfLines
}

// Bounds of what waits to be written.
const (
	linesEvery = 100 * time.Millisecond // gathered for one transaction

	spoolBytes   = 256 << 10 // of one attempt, lineCost for each line included
	lineCost     = 128
	crowdBytes   = 32 << 20 // of all attempts: beyond it each has only crowdedSpool, so that none takes the room of others
	crowdedSpool = 16 << 10

	flightSpools = persistence.MaxBatch / 2 // in one transaction, each with two channels
	flightBytes  = 4 << 20                  // in one transaction, about
	flightLimit  = 15 * time.Second         // of one transaction

	lineRetryFirst = 50 * time.Millisecond
	lineRetryLast  = 2 * time.Second
	earlyPatience  = 30 * time.Second // how long a job's first row may take before its lines are given up
	lastLines      = time.Second      // how long an attempt whose context has ended may go on writing: less than drainGrace
)

func newLineWriter(a *App) *lineWriter {
	return &lineWriter{
		app: a, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		news: newsOfLines{more: make(chan struct{}, 1)},
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// enlist puts a spool down to be written.
func (w *lineWriter) enlist(s ...*spool) {
	w.mu.Lock()
	w.dirty = append(w.dirty, s...)
	w.mu.Unlock()
	poke(w.wake)
}

// run writes until the context ends.
func (w *lineWriter) run(ctx context.Context) {
	var retry time.Duration
	for {
		select {
		case <-w.wake:
		case <-ctx.Done():
			return
		}
		w.gather(ctx, retry)
		if ctx.Err() != nil {
			return
		}
		if w.fly(ctx) {
			retry = 0
		} else {
			retry = min(max(2*retry, lineRetryFirst), lineRetryLast)
		}
	}
}

// gather lets a transaction fill, unless somebody waits for it; after a failure it waits in any case.
func (w *lineWriter) gather(ctx context.Context, retry time.Duration) {
	hurry, wait := w.hurry, linesEvery
	if retry > 0 {
		hurry, wait = nil, retry
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-hurry:
	case <-ctx.Done():
	}
}

// take takes the next spools for one transaction.
func (w *lineWriter) take() []*spool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, 0
	for n < min(len(w.dirty), flightSpools) && (n == 0 || bytes < flightBytes) {
		bytes += min(w.dirty[n].waiting(), len(persistence.Channels)*persistence.MaxAppendBytes)
		n++
	}
	taken := w.dirty[:n:n]
	if w.dirty = w.dirty[n:]; len(w.dirty) == 0 {
		w.dirty = nil
	}
	return taken
}
