package actors

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

const (
	// durationSamples is how many runs of a kind are remembered.
	durationSamples = 200
	// durationFresh is how long they count without a new one before the store is asked again.
	durationFresh = time.Minute
)

// durations is how long the last successful runs of each kind took: what the broadcaster saw ending while anybody watched, and
// what the store has, which is asked the first time. There are at most MaxKinds kinds; of further ones nothing is known.
type durations struct {
	mu    sync.Mutex
	kinds map[string]*runs
}

// runs is a ring of the newest runs of a kind.
type runs struct {
	took   []time.Duration
	next   int
	fed    time.Time // when the last was added, or the store was asked
	seeded bool
	cost   *Estimate // of took; nil if that has changed since
}

// Estimate is a time in two shares: half of all such times are at most P50, nine in ten at most P90.
type Estimate struct {
	P50 time.Duration
	P90 time.Duration
}

// add notes a run that ended. It is kept only of kinds that somebody has asked for.
func (d *durations) add(kind string, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.kinds[kind]; r != nil && took >= 0 {
		r.add(took)
	}
}

func (r *runs) add(took time.Duration) {
	if len(r.took) < durationSamples {
		r.took = append(r.took, took)
	} else {
		r.took[r.next] = took
	}
	r.next = (r.next + 1) % durationSamples
	r.fed, r.cost = time.Now(), nil
}

// of answers what is known of a kind: nil if it is nothing. Stale says that the store should be asked.
func (d *durations) of(kind string) (known *Estimate, stale bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.kinds[kind]
	if r == nil {
		if len(d.kinds) >= MaxKinds {
			return nil, false
		}
		if d.kinds == nil {
			d.kinds = map[string]*runs{}
		}
		r = &runs{}
		d.kinds[kind] = r
	}
	if len(r.took) > 0 && r.cost == nil {
		sorted := slices.Sorted(slices.Values(r.took))
		r.cost = &Estimate{P50: sorted[len(sorted)/2], P90: sorted[len(sorted)*9/10]}
	}
	return r.cost, !r.seeded || time.Since(r.fed) > durationFresh
}

// seed takes what the store has, newest first.
func (d *durations) seed(kind string, took []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.kinds[kind]
	if r == nil {
		return
	}
	r.seeded, r.fed = true, time.Now()
	if len(took) == 0 {
		return
	}
	r.took, r.next, r.cost = nil, 0, nil
	slices.Reverse(took)
	for _, one := range took {
		r.add(one)
	}
}

// runTime estimates how long a run of the kind takes; nil if nothing is known of it.
func (a *App) runTime(ctx context.Context, kind string) *Estimate {
	known, stale := a.durations.of(kind)
	if !stale {
		return known
	}
	took, err := a.pastRuns.get(ctx, a, kind, func(ctx context.Context) ([]time.Duration, error) { return a.readRuns(ctx, kind) })
	if err != nil {
		return known
	}
	a.durations.seed(kind, slices.Clone(took))
	known, _ = a.durations.of(kind)
	return known
}

// readRuns reads how long the newest runs of the kind took that ended well.
func (a *App) readRuns(ctx context.Context, kind string) ([]time.Duration, error) {
	page, err := a.config.Store.List(ctx, persistence.Query{Kind: kind, Statuses: []job.Status{job.Completed}, Limit: durationSamples})
	if err != nil {
		return nil, err
	}
	took := make([]time.Duration, 0, len(page.Jobs))
	for i := range page.Jobs {
		if j := &page.Jobs[i]; !j.Started.IsZero() && j.Finished.After(j.Started) {
			took = append(took, j.Finished.Sub(j.Started))
		}
	}
	return took, nil
}
