package actors

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// settingsCache is the last that this node read of the queues' settings.
type settingsCache struct {
	mu    sync.Mutex
	known map[string]persistence.QueueSettings
}

func (c *settingsCache) get(queue string) persistence.QueueSettings {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.known[queue]
	s.Name = queue
	return s
}

func (c *settingsCache) set(all []persistence.QueueSettings) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = make(map[string]persistence.QueueSettings, len(all))
	for _, s := range all {
		c.known[s.Name] = s
	}
}

// Queues reads all queues that this node serves, by name.
func (a *App) Queues(ctx context.Context) ([]QueueState, error) {
	states := make([]QueueState, 0, len(a.queues))
	for name := range a.queues {
		state, err := a.queueState(ctx, name, a.settings.get(name))
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	slices.SortFunc(states, func(x, y QueueState) int { return cmp.Compare(x.Name, y.Name) })
	return states, nil
}

func (a *App) queueState(ctx context.Context, name string, settings persistence.QueueSettings) (QueueState, error) {
	depth, err := a.config.Inbox.Depth(ctx, name)
	if err != nil {
		return QueueState{}, fmt.Errorf("queue %s: %w", name, err)
	}
	q := a.queues[name]
	return QueueState{
		QueueSettings: settings, Durability: q.Durability(), Limit: cmp.Or(settings.Concurrency, q.Concurrency), Running: a.runningEverywhere(name),
		Depth: depth,
	}, nil
}

// SetQueue changes a queue's settings, for all nodes and for good. The change sees the settings in force. ErrNotFound for a queue that this
// node does not have, ErrInvalid for a concurrency out of bounds.
func (a *App) SetQueue(ctx context.Context, name string, change func(*persistence.QueueSettings)) (QueueState, error) {
	if _, ok := a.queues[name]; !ok {
		return QueueState{}, fmt.Errorf("queue %.80q: %w", name, persistence.ErrNotFound)
	}
	if err := a.readSettings(ctx); err != nil {
		return QueueState{}, err
	}
	settings := a.settings.get(name)
	change(&settings)
	if settings.Concurrency < 0 || settings.Concurrency > MaxConcurrency {
		return QueueState{}, fmt.Errorf("%w: concurrency: %d is not within 0 and %d", ErrInvalid, settings.Concurrency, MaxConcurrency)
	}
	if settings.Everywhere < 0 || settings.Everywhere > MaxEverywhere {
		return QueueState{}, fmt.Errorf("%w: cluster_concurrency: %d is not within 0 and %d", ErrInvalid, settings.Everywhere, MaxEverywhere)
	}
	settings.Name, settings.Updated = name, time.Now().UTC().Truncate(time.Microsecond)
	if err := a.config.Store.SaveQueue(ctx, settings); err != nil {
		return QueueState{}, fmt.Errorf("save queue %s: %w", name, err)
	}
	if err := a.readSettings(ctx); err != nil {
		return QueueState{}, err
	}
	if err := a.config.Bus.Signal(ctx, persistence.Signal{Topic: persistence.SignalQueue, Queue: name}); err != nil {
		a.log.Warn("other nodes learn of a queue's settings a little later", "queue", name, "error", err)
	}
	return a.queueState(ctx, name, settings)
}

// firstSettings is read before anything is claimed: what is paused stays so over a restart.
func (a *App) firstSettings() error {
	ctx, cancel := context.WithTimeout(a.background, 2*time.Second)
	defer cancel()
	all, err := a.config.Store.Queues(ctx)
	if err == nil {
		a.settings.set(all)
	}
	return err
}

// readSettings takes the queues' settings from the store and tells the intakes.
func (a *App) readSettings(ctx context.Context) error {
	all, err := a.config.Store.Queues(ctx)
	if err != nil {
		return fmt.Errorf("read the queues' settings: %w", err)
	}
	a.settings.set(all)
	for name, intake := range a.intakes {
		s := a.settings.get(name)
		intake.limit(limit{s.Concurrency, s.Everywhere, s.Paused})
	}
	return nil
}
