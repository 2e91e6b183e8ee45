package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var claimEntries = load("claim")

// Claim implements persistence.Inbox.
func (i inbox) Claim(ctx context.Context, queue, node string, limit int, lease time.Duration) ([]persistence.Claim, error) {
	const doing = "claim"
	limit = min(limit, persistence.MaxBatch)
	if limit <= 0 || i.counts(queue).waiting == 0 {
		return nil, i.ready(ctx, doing)
	}
	type claimed struct {
		persistence.Claim
		priority, seq int64
	}
	var got []claimed
	err := i.writer.do(ctx, doing, limit, func(c *change) error {
		got = got[:0]
		q := c.queue(queue)
		until := c.now.Add(lease).UnixMicro()
		err := c.read(claimEntries, []any{q.n, node, until, limit}, func(r row) error {
			got = append(got, claimed{priority: r.int64(0), seq: r.int64(1), Claim: persistence.Claim{
				ID: r.id(2), Token: r.int64(3), Crashes: r.int(4), CancelRequested: r.int(5) != 0, Envelope: r.blob(6), Life: r.int(7),
			}})
			return nil
		})
		q.next.move(waiting, leased, len(got))
		return err
	})
	if err != nil || len(got) == 0 {
		return nil, err
	}
	slices.SortFunc(got, func(a, b claimed) int { return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.seq, b.seq)) })
	claims := make([]persistence.Claim, len(got))
	for n := range got {
		claims[n] = got[n].Claim
	}
	return claims, nil
}
