package sqlite

import (
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// writer makes all changes, in groups: see the package's document.
type writer struct {
	conn     *connection
	queues   *queues
	wakes    *wakes
	requests chan *request
	closing  chan struct{} // closed by Close: nothing more is taken in
	stopped  chan struct{} // closed when the goroutine has ended
}

// Bounds of the writer.
const (
	// maxWaiting is how many requests may wait for the next group; more wait at the door.
	maxWaiting = 4096
	// maxGroupRows is about how many rows one transaction touches: it bounds how long an answer takes.
	maxGroupRows = 4 * persistence.MaxBatch
	// usualGroup is room made for a group in advance.
	usualGroup = 256
)

var (
	begin      = inline("begin", "BEGIN IMMEDIATE")
	commit     = inline("commit", "COMMIT")
	rollback   = inline("rollback", "ROLLBACK")
	savepoint  = inline("savepoint", "SAVEPOINT request")
	release    = inline("release", "RELEASE request")
	rollbackTo = inline("rollback to", "ROLLBACK TO request")
)

func newWriter(conn *connection, queues *queues, wakes *wakes) *writer {
	return &writer{
		conn: conn, queues: queues, wakes: wakes,
		requests: make(chan *request, maxWaiting), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
}

// run is the writer's goroutine. It ends when closing is closed and what was taken in by then is answered.
func (w *writer) run() {
	defer close(w.stopped)
	group := make([]*request, 0, usualGroup)
	for {
		select {
		case r := <-w.requests:
			group = w.gather(append(group[:0], r))
		case <-w.closing:
			if group = w.gather(group[:0]); len(group) == 0 {
				return
			}
		}
		w.serve(group)
		clear(group)
	}
}

// gather adds what waits now, and does not wait for more.
func (w *writer) gather(group []*request) []*request {
	rows := 0
	for _, r := range group {
		rows += r.rows
	}
	for rows < maxGroupRows {
		select {
		case r := <-w.requests:
			group = append(group, r)
			rows += r.rows
		default:
			return group
		}
	}
	return group
}

// serve runs a group in one transaction and answers every request of it.
func (w *writer) serve(group []*request) {
	kept := group[:0]
	for _, r := range group {
		if r.take() {
			kept = append(kept, r)
		}
	}
	if len(kept) == 0 {
		return
	}
	failures, err := w.transact(kept, false)
	if err == nil && failures != nil {
		if len(kept) == 1 {
			kept[0].answer(failures[0])
			return
		}
		failures, err = w.transact(kept, true)
	}
	for i, r := range kept {
		switch {
		case err != nil:
			r.answer(err)
		case failures != nil:
			r.answer(failures[i])
		default:
			r.answer(nil)
		}
	}
}

// transact runs the group in one transaction. An error means that nothing was written. Apart, a failing request is undone
// alone and the failures are returned by index; otherwise the first failure undoes all, and failures says that there was one.
func (w *writer) transact(group []*request, apart bool) (failures []error, err error) {
	if _, err := w.conn.exec(begin); err != nil {
		return nil, err
	}
	c := &change{conn: w.conn, queues: w.queues, now: time.Now()}
	undo := func() {
		c.forget()
		_, _ = w.conn.exec(rollback) // fails if SQLite did it already
	}
	for i, r := range group {
		failed := c.attempt(r.run, apart)
		switch {
		case failed == nil:
			continue
		case undoesAll(failed):
			undo()
			return nil, failed
		case !apart:
			undo()
			return []error{failed}, nil
		}
		if failures == nil {
			failures = make([]error, len(group))
		}
		failures[i] = failed
	}
	if err := c.saveQueues(); err != nil {
		undo()
		return nil, err
	}
	if _, err := w.conn.exec(commit); err != nil {
		undo()
		return nil, err
	}
	c.publish()
	w.wakes.call(c.woken)
	return failures, nil
}
