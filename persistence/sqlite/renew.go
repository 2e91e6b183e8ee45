package sqlite

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var renewLeases = inline("renew leases", "UPDATE inbox SET due = ?1 WHERE n IN (SELECT value FROM json_each(?2))")

// Renew implements persistence.Inbox.
func (i inbox) Renew(ctx context.Context, queue string, leases []persistence.Lease, term time.Duration) ([]persistence.Renewal, error) {
	const doing = "renew leases"
	if err := within(doing, len(leases)); err != nil || len(leases) == 0 {
		return nil, err
	}
	answers := make([]persistence.Renewal, len(leases))
	err := i.writer.do(ctx, doing, len(leases), func(c *change) error {
		q := c.queue(queue)
		found, err := c.entries(q, idsOfLeases(leases))
		if err != nil {
			return err
		}
		var held []int64
		for n, e := range found {
			answers[n] = renewal(e, leases[n])
			if answers[n].State == persistence.Held {
				held = append(held, e.n)
			}
		}
		if len(held) == 0 {
			return nil
		}
		_, err = c.exec(renewLeases, c.now.Add(term).UnixMicro(), numberList(held))
		return err
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

func renewal(e *entry, l persistence.Lease) persistence.Renewal {
	switch {
	case e == nil:
		return persistence.Renewal{State: persistence.Forgotten}
	case e.heldBy(l):
		return persistence.Renewal{State: persistence.Held, CancelRequested: e.cancel}
	}
	return persistence.Renewal{State: persistence.Lost, CancelRequested: e.cancel}
}

func idsOfLeases(leases []persistence.Lease) []job.ID {
	ids := make([]job.ID, len(leases))
	for n, l := range leases {
		ids[n] = l.ID
	}
	return ids
}
