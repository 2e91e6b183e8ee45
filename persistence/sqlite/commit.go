package sqlite

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Commit implements persistence.Store.
func (s store) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	const doing = "commit"
	ready, err := prepare(doing, writes)
	if err != nil || len(ready) == 0 {
		return nil, err
	}
	ids := idsOfWrites(writes)
	outcomes := make([]persistence.Outcome, len(ready))
	err = s.writer.do(ctx, doing, len(ready), func(c *change) error {
		was, err := c.fences(ids)
		if err != nil {
			return err
		}
		for n := range ready {
			w := &ready[n]
			if outcomes[n], err = c.put(w, was[n]); err != nil {
				return err
			}
			if w.Key == nil || !outcomes[n].Applied {
				continue
			}
			bound, err := c.boundKey(storeRing, w.Key)
			if err == nil && bound == nil {
				err = c.bindKey(storeRing, w.Key, w.Job.ID)
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
	return outcomes, nil
}

// Accept implements persistence.Store.
func (s store) Accept(ctx context.Context, writes []persistence.Write) ([]persistence.Acceptance, error) {
	const doing = "accept"
	ready, err := prepare(doing, writes)
	if err != nil || len(ready) == 0 {
		return nil, err
	}
	ids := idsOfWrites(writes)
	answers := make([]persistence.Acceptance, len(ready))
	err = s.writer.do(ctx, doing, len(ready), func(c *change) error {
		was, err := c.fences(ids)
		if err != nil {
			return err
		}
		for n := range ready {
			if answers[n], err = c.accept(&ready[n], was[n]); err != nil {
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

// accept puts a job if its key is free, or is its own from before.
func (c *change) accept(w *encoded, was *stored) (persistence.Acceptance, error) {
	if w.Key != nil {
		bound, err := c.boundKey(storeRing, w.Key)
		switch {
		case err != nil:
			return persistence.Acceptance{}, err
		case bound == nil:
			if err := c.bindKey(storeRing, w.Key, w.Job.ID); err != nil {
				return persistence.Acceptance{}, err
			}
		case bound.Job != w.Job.ID:
			return persistence.Acceptance{Holder: *bound}, nil
		}
	}
	_, err := c.put(w, was) // a row that is further already is one that was accepted
	return persistence.Acceptance{Accepted: true}, err
}

func idsOfWrites(writes []persistence.Write) []job.ID {
	ids := make([]job.ID, len(writes))
	for n := range writes {
		ids[n] = writes[n].Job.ID
	}
	return ids
}
