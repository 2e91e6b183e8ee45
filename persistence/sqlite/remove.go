package sqlite

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
)

var askToCancel = inline("ask to cancel", "UPDATE inbox SET cancel = 1 WHERE queue = ?1 AND id = ?2")

// Remove implements persistence.Inbox.
func (i inbox) Remove(ctx context.Context, queue string, ids []job.ID) error {
	const doing = "remove from the inbox"
	if err := within(doing, len(ids)); err != nil || len(ids) == 0 {
		return err
	}
	return i.writer.do(ctx, doing, len(ids), func(c *change) error {
		q := c.queue(queue)
		if q.next.dead > 0 {
			if err := c.forgetDead(q, ids); err != nil {
				return err
			}
		}
		found, err := c.entries(q, ids)
		if err != nil {
			return err
		}
		var idle []*entry
		seen := make(map[int64]struct{}, len(found))
		for _, e := range found {
			if e == nil || e.state == leased {
				continue
			}
			if _, twice := seen[e.n]; !twice {
				seen[e.n] = struct{}{}
				idle = append(idle, e)
			}
		}
		return c.drop(q, idle)
	})
}

// RequestCancel implements persistence.Inbox.
func (i inbox) RequestCancel(ctx context.Context, queue string, id job.ID) error {
	return i.writer.do(ctx, "leave word to cancel", 1, func(c *change) error {
		_, err := c.exec(askToCancel, c.queue(queue).n, id[:])
		return err
	})
}
