package local

import (
	"context"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Hub joins buses of one process: each bus is one node. Nothing outlives the process, and nothing can be lost but by a
// subscriber that falls MaxBehind bytes behind, which is told of the gap.
type Hub struct {
	mu    sync.Mutex
	last  *lastStates
	heard map[*subscription]struct{}
}

// NewHub makes a hub without nodes.
func NewHub() *Hub {
	return &Hub{last: newLastStates(MaxLast), heard: make(map[*subscription]struct{})}
}

// Bus is the hub as the named node sees it. Names must differ.
func (h *Hub) Bus(node string) *Bus { return &Bus{h, node} }

// Bus is one node's hold on a hub. Its methods do not wait for anybody.
type Bus struct {
	hub  *Hub
	node string
}

var _ persistence.Bus = (*Bus)(nil)

// NewBus is the bus of the only node there is: nobody else hears it and it hears nobody, but it keeps last states.
func NewBus(node string) *Bus { return NewHub().Bus(node) }

// Publish implements persistence.Bus. The bus keeps the states: do not change their bytes afterwards.
func (b *Bus) Publish(ctx context.Context, states []persistence.State) error {
	if err := ctx.Err(); err != nil || len(states) == 0 {
		return err
	}
	texts, size := make([][]byte, 0, len(states)), 0
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	for i := range states {
		s := &states[i]
		if b.hub.last.put(s.ID, s.Version, s.JSON) {
			texts = append(texts, s.JSON)
			size += len(s.JSON)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	b.say(persistence.Delivery{Node: b.node, States: texts, Sent: time.Now()}, size)
	return nil
}

// Signal implements persistence.Bus.
func (b *Bus) Signal(ctx context.Context, signal persistence.Signal) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.say(persistence.Delivery{Node: b.node, Signal: &signal, Sent: time.Now()}, 0)
	return nil
}

// say hands a delivery to all other nodes, under the hub's lock: so each hears it in the order of its saying.
func (b *Bus) say(d persistence.Delivery, size int) {
	for s := range b.hub.heard {
		if s.node != b.node {
			s.add(d, size)
		}
	}
}

// Last implements persistence.Bus. It knows as much as MaxLast bytes of the newest states. Do not change the bytes.
func (b *Bus) Last(ctx context.Context, ids []job.ID) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	texts := make([][]byte, len(ids))
	for i, id := range ids {
		texts[i] = b.hub.last.get(id)
	}
	return texts, nil
}

// Subscribe implements persistence.Bus.
func (b *Bus) Subscribe(ctx context.Context, ready func(), receive func(persistence.Delivery)) error {
	s := &subscription{node: b.node, more: make(chan struct{}, 1)}
	b.hub.mu.Lock()
	b.hub.heard[s] = struct{}{}
	b.hub.mu.Unlock()
	defer func() {
		b.hub.mu.Lock()
		defer b.hub.mu.Unlock()
		delete(b.hub.heard, s)
	}()
	ready()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.more:
		}
		for _, d := range s.take() {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			receive(d)
		}
	}
}
