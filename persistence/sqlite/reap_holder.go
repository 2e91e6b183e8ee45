package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// leasesOf goes along the leases of the queue for each call: they are those of one process, some thousands.
var leasesOf = inline("find leases of a node", `SELECT n, id, node, due, seq FROM inbox INDEXED BY inbox_leased
WHERE queue = ?1 AND state = 3 AND n > ?2 ORDER BY n LIMIT ?3`)

// ReapHolder implements persistence.Inbox. The cursor is a row: a job keeps its own for as long as the inbox knows it.
func (i inbox) ReapHolder(ctx context.Context, queue, node, after string, limit int) (reaped []job.ID, next string, err error) {
	const doing = "reap leases of a node"
	var from int64
	if after != "" {
		if from, err = strconv.ParseInt(after, 10, 64); err != nil {
			return nil, "", fmt.Errorf("%s: %w: the cursor %.80q", doing, persistence.ErrInvalid, after)
		}
	}
	limit = min(limit, persistence.MaxBatch)
	if limit <= 0 {
		return nil, after, i.ready(ctx, doing)
	}
	if i.counts(queue).leased == 0 {
		return nil, "", i.ready(ctx, doing)
	}
	type holding struct {
		entry
		id       job.ID
		due, seq int64
	}
	err = i.writer.do(ctx, doing, limit, func(c *change) error {
		reaped, next = nil, ""
		var held []holding
		var looked int
		q := c.queue(queue)
		err := c.read(leasesOf, []any{q.n, from, limit}, func(r row) error {
			looked++
			next = strconv.FormatInt(r.int64(0), 10)
			if r.text(2) == node {
				held = append(held, holding{entry{n: r.int64(0)}, r.id(1), r.int64(3), r.int64(4)})
			}
			return nil
		})
		if err != nil {
			return err
		}
		if looked < limit {
			next = ""
		}
		slices.SortFunc(held, func(a, b holding) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.seq, b.seq)) })
		entries := make([]*entry, len(held))
		for n := range held {
			entries[n], reaped = &held[n].entry, append(reaped, held[n].id)
		}
		return c.toFront(q, entries, 1)
	})
	if err != nil {
		return nil, "", err
	}
	return reaped, next, nil
}
