package local

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// MaxMarks bounds how many marks stand at once: some 20 MB. One that stands is never dropped for another, so what is
// spent beyond the bound is refused with persistence.ErrFull.
const MaxMarks = 100_000

// fewMarks is from when on the marks that stand no more are swept.
const fewMarks = 1024

// Once is a persistence.Once for one node. It forgets with the process.
type Once struct {
	mu    sync.Mutex
	until map[string]time.Time
	sweep int // how many marks there may be before the next sweep
}

var _ persistence.Once = (*Once)(nil)

// NewOnce makes one without marks.
func NewOnce() *Once { return &Once{until: map[string]time.Time{}, sweep: fewMarks} }

// Spend implements persistence.Once.
func (o *Once) Spend(ctx context.Context, key string, stay time.Duration) (bool, error) {
	if err := persistence.CheckOnce(key, stay); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.until[key].After(now) {
		return false, nil
	}
	if len(o.until) >= o.sweep {
		for k, until := range o.until {
			if !until.After(now) {
				delete(o.until, k)
			}
		}
		o.sweep = min(max(2*len(o.until), fewMarks), MaxMarks)
	}
	if len(o.until) >= MaxMarks {
		return false, fmt.Errorf("%w: %d marks stand", persistence.ErrFull, MaxMarks)
	}
	o.until[key] = now.Add(stay)
	return true, nil
}

// Spent implements persistence.Once.
func (o *Once) Spent(ctx context.Context, key string) (bool, error) {
	if err := persistence.CheckOnce(key, time.Hour); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.until[key].After(time.Now()), nil
}
