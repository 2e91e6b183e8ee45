package actors

import (
	"context"
	"errors"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// renew renews leases in batches. While the inbox can't be reached nobody else can
// claim through it either, unless only this node is cut off: so leases that have run out meanwhile are looked up in the store,
// whose row tells whether somebody else was given the job.
func (a *App) renew(queue string, due []persistence.Lease) *renewed {
	result := &renewed{}
	for batch := range slices.Chunk(due, persistence.MaxBatch) {
		ctx, cancel := context.WithTimeout(a.background, a.config.Lease/3)
		err := a.renewBatch(ctx, queue, batch, result)
		cancel()
		if err != nil {
			result.err = errors.Join(result.err, err, a.findLost(batch, result))
		}
	}
	return result
}

func (a *App) renewBatch(ctx context.Context, queue string, leases []persistence.Lease, result *renewed) error {
	renewals, err := a.config.Inbox.Renew(ctx, queue, leases, a.config.Lease)
	if err != nil {
		return err
	}
	for i, r := range renewals {
		if r.CancelRequested {
			result.cancel = append(result.cancel, leases[i].ID)
		}
		switch r.State {
		case persistence.Lost:
			result.lost = append(result.lost, leases[i])
		case persistence.Forgotten:
			result.forgotten = append(result.forgotten, leases[i].ID)
		}
	}
	return nil
}

// findLost asks the store which leases were superseded.
func (a *App) findLost(leases []persistence.Lease, result *renewed) error {
	ids := make([]job.ID, len(leases))
	tokens := make(map[job.ID]persistence.Lease, len(leases))
	for i, lease := range leases {
		ids[i], tokens[lease.ID] = lease.ID, lease
	}
	ctx, cancel := context.WithTimeout(a.background, a.config.Lease/3)
	defer cancel()
	records, err := a.config.Store.Get(ctx, ids)
	for i := range records {
		if j := &records[i].Job; j.Token > tokens[j.ID].Token {
			result.lost = append(result.lost, tokens[j.ID])
		}
	}
	return err
}
