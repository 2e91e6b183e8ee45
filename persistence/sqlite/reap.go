package sqlite

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var endedLeases = inline("find ended leases", "SELECT n, id FROM inbox WHERE queue = ?1 AND state = 3 AND due <= ?2 ORDER BY due, seq LIMIT ?3")

// Reap implements persistence.Inbox.
func (i inbox) Reap(ctx context.Context, queue string, limit int) ([]job.ID, error) {
	const doing = "reap"
	limit = min(limit, persistence.MaxBatch)
	if limit <= 0 || i.counts(queue).leased == 0 {
		return nil, i.ready(ctx, doing)
	}
	var reaped []job.ID
	err := i.writer.do(ctx, doing, limit, func(c *change) error {
		reaped = reaped[:0]
		var ended []*entry
		q := c.queue(queue)
		err := c.read(endedLeases, []any{q.n, c.now.UnixMicro(), limit}, func(r row) error {
			ended, reaped = append(ended, &entry{n: r.int64(0)}), append(reaped, r.id(1))
			return nil
		})
		if err != nil {
			return err
		}
		return c.toFront(q, ended, 1)
	})
	if err != nil {
		return nil, err
	}
	return reaped, nil
}
