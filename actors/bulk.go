package actors

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Bounds of an action in bulk: whom one call concerns at most, and for how long it begins anything; what one that only counts
// counts to, and for how long; how many jobs it names; how many are redriven
// at once; and after how many it looks at the time.
const (
	MaxBulk   = 10_000
	bulkTime  = 15 * time.Second
	maxCount  = 1_000
	countTime = 2 * time.Second
	maxSample = 5
	atATime   = 8
	stride    = 64
)

// Bulk is what became of an action in bulk. A dry run counts and names jobs, and does nothing.
type Bulk struct {
	Matched int
	Capped  bool // of a dry run: there are at least so many
	Sample  []job.Job
	Done    int  // of an action: redriven or deleted
	More    bool // of an action: its bounds ended it; call again for the rest
}

// RedriveDead gives the dead letters that match a new life.
func (a *App) RedriveDead(ctx context.Context, q persistence.Query, by string, dryRun bool) (Bulk, error) {
	if dryRun {
		return a.countDead(ctx, q)
	}
	return a.eachDead(ctx, q, func(jobs []job.Job) (int, error) {
		redriven := make([]bool, len(jobs))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(atATime)
		for i := range jobs {
			group.Go(func() error {
				_, err := a.Retry(ctx, jobs[i].ID, by)
				redriven[i] = err == nil
				if errors.Is(err, job.ErrNotAllowed) || errors.Is(err, persistence.ErrNotFound) {
					return nil // somebody else was faster
				}
				return err
			})
		}
		err := group.Wait()
		return len(slices.DeleteFunc(redriven, func(done bool) bool { return !done })), err
	})
}

// PurgeDead deletes the dead letters that match.
func (a *App) PurgeDead(ctx context.Context, q persistence.Query, dryRun bool) (Bulk, error) {
	if dryRun {
		return a.countDead(ctx, q)
	}
	return a.eachDead(ctx, q, func(jobs []job.Job) (int, error) { return len(jobs), a.remove(ctx, jobs) })
}

// eachDead does something to the dead letters that match, some at a time, until its bounds end it.
func (a *App) eachDead(ctx context.Context, q persistence.Query, do func([]job.Job) (done int, err error)) (Bulk, error) {
	var bulk Bulk
	begun := time.Now()
	err := a.pagesOfDead(ctx, q, func(page persistence.Page) (more bool, err error) {
		for jobs := range slices.Chunk(page.Jobs, stride) {
			if bulk.More = bulk.Matched >= MaxBulk || time.Since(begun) > bulkTime; bulk.More {
				return false, nil
			}
			done, err := do(jobs)
			bulk.Matched, bulk.Done = bulk.Matched+len(jobs), bulk.Done+done
			if err != nil {
				return false, err
			}
		}
		bulk.More = !page.Next.IsZero() && time.Since(begun) > bulkTime
		return !bulk.More, nil
	})
	return bulk, err
}

// countDead counts the dead letters that match, as far as its bounds let it, and names some.
func (a *App) countDead(ctx context.Context, q persistence.Query) (Bulk, error) {
	var bulk Bulk
	begun := time.Now()
	err := a.pagesOfDead(ctx, q, func(page persistence.Page) (more bool, err error) {
		bulk.Matched += len(page.Jobs)
		bulk.Sample = append(bulk.Sample, page.Jobs[:min(len(page.Jobs), maxSample-len(bulk.Sample))]...)
		bulk.Capped = bulk.Matched > maxCount || !page.Next.IsZero() && time.Since(begun) > countTime
		bulk.Matched = min(bulk.Matched, maxCount)
		return !bulk.Capped, nil
	})
	return bulk, err
}

// pagesOfDead reads the dead letters that match, newest first, page by page.
func (a *App) pagesOfDead(ctx context.Context, q persistence.Query, each func(persistence.Page) (more bool, err error)) error {
	q.Statuses, q.Limit, q.Bounded = []job.Status{job.Failed}, persistence.MaxPage, true
	for {
		page, err := a.config.Store.List(ctx, q)
		if err != nil {
			return err
		}
		if more, err := each(page); err != nil || !more || page.Next.IsZero() {
			return err
		}
		q.Before = page.Next
	}
}
