package sqlite

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Restore implements persistence.Inbox.
func (i inbox) Restore(ctx context.Context, queue, node string, entries []persistence.Entry, lease time.Duration) ([]bool, error) {
	const doing = "restore leases"
	if err := within(doing, len(entries)); err != nil || len(entries) == 0 {
		return nil, err
	}
	answers := make([]bool, len(entries))
	err := i.writer.do(ctx, doing, len(entries), func(c *change) error {
		q := c.queue(queue)
		until := c.now.Add(lease).UnixMicro()
		for n := range entries {
			e := &entries[n]
			var err error
			if answers[n], err = c.insert(q, e, leased, until, node); err != nil {
				return err
			}
			if e.Key == nil || !answers[n] {
				continue
			}
			bound, err := c.boundKey(q.keys(), e.Key)
			if err == nil && bound == nil {
				err = c.bindKey(q.keys(), e.Key, e.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}
