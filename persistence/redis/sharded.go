package redis

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var _ persistence.Bus = (*ShardedBus)(nil)

// ShardedBus is a persistence.Bus on a Redis Cluster. It is safe for concurrent use.
//
// Jobs are divided into 64 partitions by their ids. What nodes tell each other of a partition goes over a sharded channel of
// its own, jobs:{p00} to jobs:{p63}, which only the master of its slot and those who listen there have to do with; a classic channel
// would be passed on by every server to every other. A frame carries the boot that sent it and a number that grows by one in each
// partition, and every second each partition is told which number was the last: receivers notice what they have missed, by partition,
// as those of Bus do. What is said of one job arrives in the order of its saying; of two jobs, perhaps not.
//
// job:<id> is set, and announced on the classic channel of that name, for who is no node: that is a public contract.
type ShardedBus struct {
	c    *Client
	node string
	boot string

	start sync.Once
	turn  chan struct{}      // holds one: whose turn it is, so that frames leave in the order of their numbers
	seq   [partitions]uint64 // under turn
}

func newShardedBus(c *Client, node string) *ShardedBus {
	b := &ShardedBus{c: c, node: node, boot: rand.Text(), turn: make(chan struct{}, 1)}
	b.turn <- struct{}{}
	return b
}

// partitionOf spreads ids by their last byte, which is random.
func partitionOf(id job.ID) int { return int(id[len(id)-1]) % partitions }

func (c *Client) shardChannel(p int) string { return c.config.Prefix + "jobs:" + partitionTag(p) }

// Signal implements persistence.Bus. A signal about a job comes in order with what is said of that.
func (b *ShardedBus) Signal(ctx context.Context, signal persistence.Signal) error {
	part, err := json.Marshal(signal)
	if err != nil {
		return fmt.Errorf("redis: signal: %w", err)
	}
	b.live()
	done, err := await(ctx, b.turn)
	if err != nil {
		return wrap(ctx, "signal", err)
	}
	defer done()
	p := partitionOf(signal.ID)
	b.seq[p]++
	return wrap(ctx, "signal", b.c.rdb.SPublish(ctx, b.c.shardChannel(p), b.frame(signalFrame, p, part)).Err())
}

func (b *ShardedBus) frame(kind byte, p int, parts ...[]byte) []byte {
	f := frame{kind: kind, boot: b.boot, node: b.node, seq: b.seq[p], sent: time.Now().UnixMicro(), parts: parts}
	return f.append(nil)
}

// Publish implements persistence.Bus. One batch becomes a delivery for each partition that it has states of, and the masters take
// their shares at the same time. More than persistence.MaxBatch states, or 4 MB of them, are published in parts. An
// error may leave some of them published.
func (b *ShardedBus) Publish(ctx context.Context, states []persistence.State) error {
	if len(states) == 0 {
		return nil
	}
	b.live()
	done, err := await(ctx, b.turn)
	if err != nil {
		return wrap(ctx, "publish", err)
	}
	defer done()
	for len(states) > 0 {
		n := enough(states)
		if err := b.publish(ctx, states[:n]); err != nil {
			return wrap(ctx, fmt.Sprintf("publish %d states", n), err)
		}
		states = states[n:]
	}
	return nil
}

// publish sets and says the states, then has the nodes told of those that were not too old; of final ones, which never are, at once.
func (b *ShardedBus) publish(ctx context.Context, states []persistence.State) error {
	pipe := b.c.rdb.Pipeline()
	keys := b.c.jobKeys(states)
	sets := make([]*goredis.StatusCmd, len(states)) // of final states
	advances := make([]*goredis.IntSliceCmd, len(states))
	open := 0
	for i := range states {
		if !states[i].Final {
			open++
			l := b.c.advanceOne(&states[i]) // it is kept until the pipeline has run, and not used again
			l.args[2] = l.keys
			advances[i] = goredis.NewIntSliceCmd(ctx, l.args...)
			_ = pipe.Process(ctx, advances[i])
			continue
		}
		ttl := b.c.config.LiveTTL
		if states[i].Terminal {
			ttl = b.c.config.TerminalTTL
		}
		sets[i] = pipe.Set(ctx, keys[i], states[i].JSON, ttl)
		announced := goredis.NewIntCmd(ctx, "publish", keys[i], states[i].JSON)
		announced.SetFirstKeyPos(1) // always the same server, which keeps the order
		_ = pipe.Process(ctx, announced)
	}
	if open == 0 {
		b.tell(ctx, pipe, states)
	}
	_, cause := pipe.Exec(ctx)
	stale, err := b.insist(ctx, states, sets, advances, cause)
	if err != nil || open == 0 {
		return err
	}
	words := b.c.rdb.Pipeline()
	b.tell(ctx, words, without(states, stale))
	_, err = words.Exec(ctx)
	return err
}

// tell says to each partition what has become of its jobs.
func (b *ShardedBus) tell(ctx context.Context, pipe goredis.Pipeliner, states []persistence.State) {
	var said [partitions][][]byte
	for i := range states {
		p := partitionOf(states[i].ID)
		said[p] = append(said[p], states[i].JSON)
	}
	for p, parts := range said {
		if len(parts) > 0 {
			b.seq[p]++
			pipe.SPublish(ctx, b.c.shardChannel(p), b.frame(statesFrame, p, parts...))
		}
	}
}

// insist sets the keys of which the server has refused plain commands, because it is full, or the script, because it has forgotten it;
// everything else went through, or is the error. It answers which states were too old.
func (b *ShardedBus) insist(
	ctx context.Context, states []persistence.State, sets []*goredis.StatusCmd, advances []*goredis.IntSliceCmd, cause error,
) (stale []int, err error) {
	mended := false
	for i := range states {
		var answer []int64
		switch {
		case advances[i] != nil && advances[i].Err() == nil:
			answer = advances[i].Val()
		case advances[i] != nil && goredis.HasErrorPrefix(advances[i].Err(), "NOSCRIPT"), sets[i] != nil && kindOf(sets[i].Err()) == persistence.ErrFull: //nolint:errorlint // it answers one of two values as they are
			mended = true
			again, err := run(ctx, b.c, b.c.advanceOne(&states[i]), "advance", goredis.NewIntSliceCmd)
			if err != nil {
				return nil, err
			}
			answer = again.Val()
		}
		if len(answer) > 1 {
			stale = append(stale, i)
		}
	}
	if mended && (kindOf(cause) == persistence.ErrFull || goredis.HasErrorPrefix(cause, "NOSCRIPT")) { //nolint:errorlint // the same
		return stale, nil
	}
	return stale, cause
}

// Last implements persistence.Bus.
func (b *ShardedBus) Last(ctx context.Context, ids []job.ID) ([][]byte, error) {
	states := make([][]byte, len(ids))
	for from := 0; from < len(ids); from += persistence.MaxBatch {
		part := ids[from:min(from+persistence.MaxBatch, len(ids))]
		pipe := b.c.rdb.Pipeline()
		values := make([]*goredis.StringCmd, len(part))
		for i, id := range part {
			values[i] = pipe.Get(ctx, b.c.jobPrefix()+id.String())
		}
		_, _ = pipe.Exec(ctx) // each has its own error
		for i, value := range values {
			text, err := value.Bytes()
			switch {
			case err == nil:
				states[from+i] = text
			case err != goredis.Nil: //nolint:errorlint // as the client gives it
				return nil, wrap(ctx, "read states", err)
			}
		}
	}
	return states, ctx.Err()
}

// live starts the ticks.
func (b *ShardedBus) live() { b.start.Do(func() { b.c.tick(b.say) }) }

// say publishes a frame without parts in every partition. Where it fails, the receivers notice the silence.
func (b *ShardedBus) say(kind byte) {
	ctx, cancel := context.WithTimeout(context.Background(), pingEvery)
	defer cancel()
	done, err := await(ctx, b.turn)
	if err != nil {
		return
	}
	defer done()
	pipe := b.c.rdb.Pipeline()
	for p := range partitions {
		pipe.SPublish(ctx, b.c.shardChannel(p), b.frame(kind, p))
	}
	_, _ = pipe.Exec(ctx)
}
