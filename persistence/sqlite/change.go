package sqlite

import (
	"context"
	"time"
)

// change is a transaction as a request sees it: statements on the writer's connection, and the counters of the queues, which become
// visible with the commit.
type change struct {
	conn   *connection
	queues *queues
	now    time.Time
	// touched are the queues whose counters may differ from what is on disk.
	touched []*queue
	woken   map[string]struct{}
}

func (c *change) exec(q *query, args ...any) (int64, error) { return c.conn.exec(q, args...) }

func (c *change) read(q *query, args []any, each func(row) error) error {
	return c.conn.read(context.Background(), q, args, each)
}

// queue is the queue of that name with its working counters, made if there is none.
func (c *change) queue(name string) *queue {
	q := c.queues.open(name)
	if !q.touched {
		q.touched, q.next = true, *q.saved.Load()
		c.touched = append(c.touched, q)
	}
	return q
}

// wake says that the queue got something to claim.
func (c *change) wake(q *queue) {
	if c.woken == nil {
		c.woken = map[string]struct{}{}
	}
	c.woken[q.name] = struct{}{}
}

// attempt runs one request. Apart, it leaves no trace of one that fails.
func (c *change) attempt(run func(*change) error, apart bool) error {
	if !apart {
		return run(c)
	}
	if _, err := c.exec(savepoint); err != nil {
		return err
	}
	before := make([]counters, len(c.touched))
	for i, q := range c.touched {
		before[i] = q.next
	}
	failed := run(c)
	if failed == nil {
		_, err := c.exec(release)
		return err
	}
	if undoesAll(failed) {
		return failed
	}
	for i, q := range c.touched {
		if i < len(before) {
			q.next = before[i]
		} else {
			q.next = *q.saved.Load()
		}
	}
	if _, err := c.exec(rollbackTo); err != nil {
		return err
	}
	if _, err := c.exec(release); err != nil {
		return err
	}
	return failed
}

// saveQueues writes the counters that changed.
func (c *change) saveQueues() error {
	for _, q := range c.touched {
		if n := &q.next; *n != *q.saved.Load() {
			if _, err := c.exec(saveQueue, q.n, q.name, n.waiting, n.delayed, n.leased, n.dead, n.front, n.back); err != nil {
				return err
			}
		}
	}
	return nil
}

// publish makes the counters what everybody reads, after the commit.
func (c *change) publish() {
	for _, q := range c.touched {
		if q.next != *q.saved.Load() {
			saved := q.next
			q.saved.Store(&saved)
		}
	}
	c.forget()
}

// forget drops the working counters.
func (c *change) forget() {
	for _, q := range c.touched {
		q.touched = false
	}
	c.touched = nil
}
