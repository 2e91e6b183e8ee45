package sqlite

import (
	"cmp"
	"context"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	claimEntries = load("claim")
	claimParked  = load("claim_parked")
)

// Claim implements persistence.Inbox.
func (i inbox) Claim(ctx context.Context, queue, node string, ask persistence.Ask) ([]persistence.Claim, error) {
	const doing = "claim"
	ask.Max = min(ask.Max, persistence.MaxBatch)
	now := i.counts(queue)
	if _, asleep := now.takeable(ask.Can); ask.Max <= 0 || now.waiting+asleep == 0 {
		return nil, i.ready(ctx, doing)
	}
	var claims []persistence.Claim
	err := i.writer.do(ctx, doing, ask.Max, func(c *change) (err error) {
		claims, err = c.claim(c.queue(queue), node, &ask)
		return err
	})
	if err != nil {
		return nil, err
	}
	return claims, nil
}

func (c *change) claim(q *queue, node string, ask *persistence.Ask) (claims []persistence.Claim, err error) {
	names, asleep := q.next.takeable(ask.Can)
	most := int64(ask.Max)
	if room := max(int64(ask.Limit)-q.next.leased, 0); ask.Limit > 0 && room < most {
		if most = room; q.next.waiting+asleep > room {
			q.cut.Store(c.now.Add(persistence.CutMemory).UnixMicro())
		}
	}
	until := c.now.Add(ask.Lease).UnixMicro()
	for p := 0; len(names) > 0 && p <= job.MaxPriority; p++ {
		for _, name := range names {
			if left := most - int64(len(claims)); left > 0 {
				got, err := c.lease(claimParked, []any{q.n, node, until, left, name, p})
				if err != nil {
					return nil, err
				}
				q.next.leased += int64(len(got))
				q.next.park(name, -int64(len(got)))
				claims = append(claims, inOrder(got, func(a, b *leasedEntry) int { return a.ID.Compare(b.ID) })...)
			}
		}
	}
	left := most - int64(len(claims))
	if left <= 0 || q.next.waiting == 0 {
		return claims, nil
	}
	got, err := c.lease(claimEntries, []any{q.n, node, until, left})
	if err != nil {
		return nil, err
	}
	q.next.move(waiting, leased, len(got))
	return append(claims, inOrder(got, func(a, b *leasedEntry) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.seq, b.seq))
	})...), nil
}

// leasedEntry is a claim with what orders it.
type leasedEntry struct {
	persistence.Claim
	priority, seq int64
}

func (c *change) lease(q *query, args []any) (got []leasedEntry, err error) {
	err = c.read(q, args, func(r row) error {
		got = append(got, leasedEntry{priority: r.int64(0), seq: r.int64(1), Claim: persistence.Claim{
			ID: r.id(2), Token: r.int64(3), Crashes: r.int(4), CancelRequested: r.int(5) != 0, Envelope: r.blob(6), Life: r.int(7),
		}})
		return nil
	})
	return got, err
}

func inOrder(got []leasedEntry, compare func(a, b *leasedEntry) int) []persistence.Claim {
	slices.SortFunc(got, func(a, b leasedEntry) int { return compare(&a, &b) })
	claims := make([]persistence.Claim, len(got))
	for n := range got {
		claims[n] = got[n].Claim
	}
	return claims
}
