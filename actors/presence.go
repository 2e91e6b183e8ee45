package actors

import (
	"cmp"
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

const (
	// presenceEvery is how often a node says what its streams show.
	presenceEvery = 3 * time.Second
	// presenceSoon is how long news of what they show waits for more.
	presenceSoon = 100 * time.Millisecond
)

// announce tells other nodes what the streams of this one show, every few seconds, and soon after they begin to show something else.
// It says nothing while they show nothing.
func (a *App) announce(ctx context.Context) error {
	ticks := time.NewTicker(presenceEvery)
	defer ticks.Stop()
	for {
		now := time.Now()
		a.attention.forget(now)
		if topics, all := a.attention.told(); all || len(topics) > 0 {
			told := &persistence.Presence{Topics: topics, All: all}
			if err := a.config.Bus.Signal(ctx, persistence.Signal{Topic: persistence.SignalPresence, Presence: told}); err != nil && ctx.Err() == nil {
				a.log.Debug("other nodes do not hear what this one shows", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			continue
		case <-a.attention.news:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(presenceSoon):
		}
	}
}

// ownSlots is how many handlers this node runs at once for the queue; 0 if that is paused, or not this node's.
func (a *App) ownSlots(queue string) int {
	q, ours := a.queues[queue]
	s := a.settings.get(queue)
	if !ours || s.Paused {
		return 0
	}
	return cmp.Or(s.Concurrency, q.Concurrency)
}

// slots is the same for all nodes that live.
func (a *App) slots(queue string) int {
	own, settings := a.ownSlots(queue), a.settings.get(queue)
	if settings.Paused {
		return 0
	}
	_, others := a.live(queue)
	if settings.Everywhere > 0 {
		return min(own+others, settings.Everywhere)
	}
	return own + others
}

// tellRemoved has the streams of all other nodes know that jobs are gone.
func (a *App) tellRemoved(signals []persistence.Signal) {
	ctx, cancel := context.WithTimeout(a.background, roundTimeout)
	defer cancel()
	for _, signal := range signals {
		if err := a.config.Bus.Signal(ctx, signal); err != nil {
			if a.background.Err() == nil {
				a.log.Warn("other nodes go on showing jobs that are gone, until their streams come back", "jobs", len(signal.Jobs), "error", err)
			}
			return
		}
	}
}
