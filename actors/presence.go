package actors

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

const (
	// presenceEvery is how often a node says that it is there, and what its streams show.
	presenceEvery = 3 * time.Second
	// presenceSoon is how long news of what they show waits for more.
	presenceSoon = 100 * time.Millisecond
	// maxPeers bounds the nodes that are told apart.
	maxPeers = 4096
)

// peers are the other nodes, as they told of themselves in the last attentionSpan.
type peers struct {
	mu    sync.Mutex
	known map[string]peer
}

type peer struct {
	heard  time.Time
	limits map[string]int
}

func (p *peers) hear(node string, limits map[string]int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.known[node]; !known && len(p.known) >= maxPeers {
		return
	}
	p.known[node] = peer{now, limits}
}

func (p *peers) forget(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for node, one := range p.known {
		if now.Sub(one.heard) > attentionSpan {
			delete(p.known, node)
		}
	}
}

// sum counts the other nodes, and the handlers that they run at once for the queue.
func (p *peers) sum(queue string) (nodes, limit int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.known {
		limit += one.limits[queue]
	}
	return len(p.known), limit
}

// announce tells other nodes that this one is there, now and then, and soon after its streams begin to show something else.
func (a *App) announce(ctx context.Context) error {
	ticks := time.NewTicker(presenceEvery)
	defer ticks.Stop()
	for {
		now := time.Now()
		a.attention.forget(now)
		a.peers.forget(now)
		if err := a.config.Bus.Signal(ctx, persistence.Signal{Topic: persistence.SignalPresence, Presence: a.presence()}); err != nil && ctx.Err() == nil {
			a.log.Debug("other nodes do not hear what this one shows", "error", err)
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

func (a *App) presence() *persistence.Presence {
	p := &persistence.Presence{Limits: make(map[string]int, len(a.queues))}
	for name := range a.queues {
		p.Limits[name] = a.ownSlots(name)
	}
	p.Topics, p.All = a.attention.told()
	return p
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
	_, others := a.peers.sum(queue)
	return a.ownSlots(queue) + others
}

// presenceHeard takes what another node says of itself.
func (a *App) presenceHeard(node string, p *persistence.Presence) {
	if p == nil || node == "" {
		return
	}
	now := time.Now()
	a.peers.hear(node, p.Limits, now)
	a.attention.hear(p, now)
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
