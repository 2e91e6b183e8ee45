package redis

import (
	"context"
	"errors"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// publishBytes is how many bytes of states are enough for one transaction. It bounds how long that holds the server up, and
// keeps one message from filling a slow subscriber's buffer there (32 MB as shipped). A full batch of ordinary states is
// far below it.
const publishBytes = 4 << 20

// Publish implements persistence.Bus: one transaction, so that a server which writes its log to disk before it answers does so
// once. Calls take turns. The message to other nodes is left out while there are none; its number is not, so that a node of
// whom we did not know notices that it missed something. More than persistence.MaxBatch states, or 4 MB of them, are published
// in parts. On a full server they are published all the same.
func (b *Bus) Publish(ctx context.Context, states []persistence.State) error {
	if len(states) == 0 {
		return nil
	}
	b.live()
	trying := "publish " + strconv.Itoa(len(states)) + " states"
	done, err := b.await(ctx)
	if err != nil {
		return wrap(ctx, trying, err)
	}
	defer done()
	for len(states) > 0 {
		n := enough(states)
		if err := b.publish(ctx, states[:n]); err != nil {
			return wrap(ctx, trying, err)
		}
		states = states[n:]
	}
	return nil
}

// enough is how many of the states go into one transaction.
func enough(states []persistence.State) (n int) {
	bytes := 0
	for n < min(len(states), persistence.MaxBatch) {
		if bytes += len(states[n].JSON); n > 0 && bytes > publishBytes {
			break
		}
		n++
	}
	return n
}

func (b *Bus) publish(ctx context.Context, states []persistence.State) error {
	b.seq++
	asked := b.alone
	b.alone = false // until we know
	var word []byte
	if !asked {
		word = b.word(states)
	}
	said, err := b.announce(ctx, states, word)
	if errors.Is(kindOf(err), persistence.ErrFull) || goredis.HasErrorPrefix(err, "EXECABORT") || goredis.HasErrorPrefix(err, "NOSCRIPT") {
		said, err = b.insist(ctx, states, word)
	}
	if err == nil && (len(said.stale) > 0 || asked) && (!asked || said.heard > b.ears.Load()) {
		said.heard, err = b.c.rdb.Publish(ctx, b.c.eventsChannel(), b.word(without(states, said.stale))).Result()
	}
	b.alone = err == nil && said.heard <= b.ears.Load()
	return err
}

// announce sets each state's key and says it on its channel, says the word to other nodes, and answers how many listened to that.
// Without a word it only counts them.
//
// A state that is final is set by plain commands: nothing can be newer, so that it may come as late as it likes. All others go
// through a script, which compares versions. A script has to take every state into Lua, which costs the server half as
// much again as the commands; so what most jobs are told of, their completion, is spared it.
func (b *Bus) announce(ctx context.Context, states []persistence.State, word []byte) (announced, error) {
	pipe := b.c.rdb.TxPipeline()
	keys := b.c.jobKeys(states)
	live, terminal := b.c.config.LiveTTL.Milliseconds(), b.c.config.TerminalTTL.Milliseconds()
	args := make([]any, 0, 8*len(states))
	var open []int
	for i := range states {
		if !states[i].Final {
			open = append(open, i)
			continue
		}
		ttl := &live
		if states[i].Terminal {
			ttl = &terminal
		}
		from := len(args)
		args = append(args, "set", &keys[i], states[i].JSON, "px", ttl, "publish", &keys[i], nil)
		args[from+7] = args[from+2]
		_ = pipe.Process(ctx, goredis.NewStatusCmd(ctx, args[from:from+5:from+5]...))
		_ = pipe.Process(ctx, goredis.NewIntCmd(ctx, args[from+5:from+8:from+8]...))
	}
	if len(open) == 0 {
		counted := b.count(ctx, pipe, word)
		if _, err := pipe.Exec(ctx); err != nil {
			return announced{}, err
		}
		return announced{heard: counted()}, nil
	}
	l := b.advance(states, open, word)
	defer l.end()
	l.args[2] = l.keys
	advanced := goredis.NewIntSliceCmd(ctx, l.args...)
	_ = pipe.Process(ctx, advanced)
	counted := func() int64 { return advanced.Val()[0] }
	if word == nil {
		counted = b.count(ctx, pipe, nil)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return announced{}, err
	}
	said := saidOf(advanced.Val(), open)
	said.heard = counted()
	return said, nil
}

// count says the word to other nodes, or counts them if there is none.
func (b *Bus) count(ctx context.Context, on goredis.Cmdable, word []byte) (heard func() int64) {
	channel := b.c.eventsChannel()
	if word != nil {
		return on.Publish(ctx, channel, word).Val
	}
	counts := on.PubSubNumSub(ctx, channel)
	return func() int64 { return counts.Val()[channel] }
}
