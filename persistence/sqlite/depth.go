package sqlite

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	oldestWaiting = load("oldest_waiting")
	oldestParked  = load("oldest_parked")
	eldestDead    = load("eldest_dead")
)

// Known implements persistence.Inbox.
func (i inbox) Known(ctx context.Context, queue string, ids []job.ID) ([]bool, error) {
	const doing = "look up in the inbox"
	if err := within(doing, len(ids)); err != nil {
		return nil, err
	}
	known := make([]bool, len(ids))
	q := i.queues.find(queue)
	if q == nil || len(ids) == 0 {
		return known, i.ready(ctx, doing)
	}
	err := i.readers.read(ctx, doing, lookupEntries, []any{q.n, idList(ids)}, func(r row) error { known[r.int(0)] = true; return nil })
	if err != nil {
		return nil, err
	}
	return known, nil
}

// Depth implements persistence.Inbox. The counts are those of the last commit; a job was made when its id was.
func (i inbox) Depth(ctx context.Context, queue string) (persistence.Depth, error) {
	const doing = "read depth"
	n := i.counts(queue)
	depth := persistence.Depth{Waiting: n.waiting + n.sleeping(), Leased: n.leased, Delayed: n.delayed, Dead: n.dead}
	if n.parked != nil {
		depth.Parked = maps.Clone(n.parked.by)
	}
	if n.dead > 0 {
		if err := i.readers.read(ctx, doing, eldestDead, []any{i.queues.find(queue).n}, func(r row) error {
			depth.OldestDead = time.UnixMicro(r.int64(0))
			return nil
		}); err != nil {
			return persistence.Depth{}, err
		}
	}
	if depth.Waiting == 0 {
		return depth, i.ready(ctx, doing)
	}
	older := func(r row) error {
		if made := r.id(0).Time(); r[0] != nil && (depth.Oldest.IsZero() || made.Before(depth.Oldest)) {
			depth.Oldest = made
		}
		return nil
	}
	at := i.queues.find(queue).n
	err := i.readers.read(ctx, doing, oldestWaiting, []any{at, job.MaxPriority}, older)
	for name := range depth.Parked {
		if err == nil {
			err = i.readers.read(ctx, doing, oldestParked, []any{at, job.MaxPriority, name}, older)
		}
	}
	return depth, err
}

// counts is what the last commit left in the queue.
func (i inbox) counts(queue string) counters { return i.queues.counts(queue) }

// ready refuses what needs no look into the file once it is closed, or the caller is gone.
func (i inbox) ready(ctx context.Context, doing string) error {
	select {
	case <-i.writer.closing:
		return fmt.Errorf("%s: %w", doing, errClosed)
	case <-ctx.Done():
		return gaveUp(ctx, doing)
	default:
		return nil
	}
}
