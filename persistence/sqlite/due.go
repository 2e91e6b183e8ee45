package sqlite

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	dueEntries = inline("find due entries", "SELECT n FROM inbox WHERE queue = ?1 AND state = 2 AND due <= ?2 ORDER BY due, seq LIMIT ?3")
	nextDue    = inline("find next due", "SELECT due FROM inbox WHERE queue = ?1 AND state = 2 ORDER BY due LIMIT 1")
	wakeEntry  = inline("wake entry", "UPDATE inbox SET state = 1, seq = ?2, due = 0, token = max(token, ?3) WHERE n = ?1")
)

// Due implements persistence.Inbox.
func (i inbox) Due(ctx context.Context, queue string, limit int) (moved int, next time.Time, err error) {
	const doing = "move due jobs"
	limit = min(limit, persistence.MaxBatch)
	if i.counts(queue).delayed == 0 {
		return 0, time.Time{}, i.ready(ctx, doing)
	}
	err = i.writer.do(ctx, doing, max(limit, 1), func(c *change) error {
		moved, next = 0, time.Time{}
		q := c.queue(queue)
		var due []int64
		err := c.read(dueEntries, []any{q.n, c.now.UnixMicro(), max(limit, 0)}, func(r row) error {
			due = append(due, r.int64(0))
			return nil
		})
		if err != nil {
			return err
		}
		for _, n := range due {
			if err := c.toBack(q, n, 0); err != nil {
				return err
			}
		}
		moved = len(due)
		return c.read(nextDue, []any{q.n}, func(r row) error { next = r.time(0); return nil })
	})
	if err != nil {
		return 0, time.Time{}, err
	}
	return moved, next, nil
}

// toBack makes a delayed job claimable after all others of its priority, with a token of at least the given one.
func (c *change) toBack(q *queue, n, token int64) error {
	if _, err := c.exec(wakeEntry, n, q.next.last(), token); err != nil {
		return err
	}
	q.next.move(delayed, waiting, 1)
	c.wake(q)
	return nil
}

// Hasten implements persistence.Inbox.
func (i inbox) Hasten(ctx context.Context, queue string, tokens map[job.ID]int64) error {
	const doing = "hasten"
	if err := within(doing, len(tokens)); err != nil || len(tokens) == 0 {
		return err
	}
	ids := slices.SortedFunc(maps.Keys(tokens), job.ID.Compare)
	return i.writer.do(ctx, doing, len(ids), func(c *change) error {
		q := c.queue(queue)
		found, err := c.entries(q, ids)
		if err != nil {
			return err
		}
		for n, e := range found {
			if e == nil || e.state != delayed {
				continue
			}
			if err := c.toBack(q, e.n, tokens[ids[n]]); err != nil {
				return err
			}
		}
		return nil
	})
}
