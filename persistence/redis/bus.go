package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var _ persistence.Bus = (*Bus)(nil)

// Bus is a persistence.Bus on a Redis server. It is safe for concurrent use.
//
// Every frame on the channel events carries the boot that sent it and a number that grows by one; from its first
// use until the client is closed it also says once a second which number was its last. So a receiver notices what
// it has missed: by a number that is skipped, by silence, by a subscription that had to be made again.
type Bus struct {
	c    *Client
	node string
	boot string

	start sync.Once
	ears  atomic.Int64 // own subscriptions that are confirmed

	turn  chan struct{} // holds one: whose turn it is, so that frames leave in the order of their numbers
	seq   uint64        // under turn
	alone bool          // under turn: nobody else listened when last asked
}

// Bus is the server as a persistence.Bus for the named node: a *Bus, or on a cluster a *ShardedBus.
func (c *Client) Bus(node string) persistence.Bus {
	if c.cluster != nil {
		return newShardedBus(c, node)
	}
	b := &Bus{c: c, node: node, boot: rand.Text(), turn: make(chan struct{}, 1)}
	b.turn <- struct{}{}
	return b
}

// Signal implements persistence.Bus.
func (b *Bus) Signal(ctx context.Context, signal persistence.Signal) error {
	part, err := json.Marshal(signal)
	if err != nil {
		return fmt.Errorf("redis: signal: %w", err)
	}
	b.live()
	done, err := b.await(ctx)
	if err != nil {
		return wrap(ctx, "signal", err)
	}
	defer done()
	b.seq++
	f := frame{kind: signalFrame, boot: b.boot, node: b.node, seq: b.seq, sent: time.Now().UnixMicro(), parts: [][]byte{part}}
	return wrap(ctx, "signal", b.c.rdb.Publish(ctx, b.c.eventsChannel(), f.append(nil)).Err())
}

// Last implements persistence.Bus.
func (b *Bus) Last(ctx context.Context, ids []job.ID) ([][]byte, error) {
	states := make([][]byte, len(ids))
	for from := 0; from < len(ids); from += persistence.MaxBatch {
		part := ids[from:min(from+persistence.MaxBatch, len(ids))]
		keys := make([]string, len(part))
		for i, id := range part {
			keys[i] = b.c.jobPrefix() + id.String()
		}
		values, err := b.c.rdb.MGet(ctx, keys...).Result()
		if err != nil {
			return nil, wrap(ctx, "read states", err)
		}
		for i, value := range values {
			if text, ok := value.(string); ok {
				states[from+i] = []byte(text)
			}
		}
	}
	return states, nil
}

// await waits for the caller's turn to speak.
func (b *Bus) await(ctx context.Context) (done func(), err error) { return await(ctx, b.turn) }

// await waits for a turn.
func await(ctx context.Context, turn chan struct{}) (done func(), err error) {
	select {
	case <-turn:
		return func() { turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// live starts the ticks.
func (b *Bus) live() { b.start.Do(func() { b.c.tick(b.say) }) }

// tick says that a bus is there, until the client closes, and then that it goes.
func (c *Client) tick(say func(kind byte)) {
	c.running.Go(func() {
		ticks := time.NewTicker(pingEvery)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				say(tickFrame)
			case <-c.ctx.Done():
				say(byeFrame)
				return
			}
		}
	})
}

// say publishes a frame without parts. If it fails, the receivers notice the silence.
func (b *Bus) say(kind byte) {
	ctx, cancel := context.WithTimeout(context.Background(), pingEvery)
	defer cancel()
	done, err := b.await(ctx)
	if err != nil {
		return
	}
	defer done()
	f := frame{kind: kind, boot: b.boot, node: b.node, seq: b.seq}
	_ = b.c.rdb.Publish(ctx, b.c.eventsChannel(), f.append(nil)).Err()
}
