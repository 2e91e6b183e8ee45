package simulation

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// linkedBus is a bus as a node reaches it.
type linkedBus struct {
	*link
	far    persistence.Bus
	ledger *ledger
}

func (b *linkedBus) Publish(ctx context.Context, states []persistence.State) error {
	states = slices.Clone(states)
	return does(ctx, b.link, func(ctx context.Context) error {
		b.ledger.published(states)
		return b.far.Publish(ctx, states)
	})
}

func (b *linkedBus) Last(ctx context.Context, ids []job.ID) ([][]byte, error) {
	return over(ctx, b.link, func(ctx context.Context) ([][]byte, error) { return b.far.Last(ctx, ids) })
}

func (b *linkedBus) Signal(ctx context.Context, s persistence.Signal) error {
	return does(ctx, b.link, func(ctx context.Context) error { return b.far.Signal(ctx, s) })
}

// Subscribe passes on what others say, a moment later. What was said while the link was cut is lost, and told as a gap.
func (b *linkedBus) Subscribe(ctx context.Context, ready func(), receive func(persistence.Delivery)) error {
	var mu sync.Mutex
	var waiting []persistence.Delivery
	more := make(chan struct{}, 1)
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() {
		_ = b.far.Subscribe(ctx, ready, func(d persistence.Delivery) {
			mu.Lock()
			waiting = append(waiting, d)
			mu.Unlock()
			select {
			case more <- struct{}{}:
			default:
			}
		})
	})
	take := func() []persistence.Delivery {
		mu.Lock()
		defer mu.Unlock()
		all := waiting
		waiting = nil
		return all
	}
	gap := false
	for {
		s, changed := b.look()
		switch {
		case s.dead, s.stalled:
			select {
			case <-changed:
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		case s.cut, s.down:
			take()
			gap = true
		default:
			if gap {
				gap = false
				receive(persistence.Delivery{Gap: true})
			}
			for _, d := range take() {
				receive(d)
			}
		}
		select {
		case <-more:
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
			}
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
