package redis

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Publish implements persistence.Bus: one pipeline. Calls take turns. The message to other nodes is left out while there
// are none; its number is not, so that a node of whom we did not know notices that it missed something.
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
	pipe := b.c.rdb.Pipeline()
	b.c.announce(ctx, pipe, states)
	if !b.alone {
		return b.c.insist(ctx, states, wrap(ctx, trying, b.tell(ctx, pipe, states)))
	}
	listeners := pipe.PubSubNumSub(ctx, b.c.eventsChannel())
	if _, err = pipe.Exec(ctx); err != nil || listeners.Val()[b.c.eventsChannel()] <= b.ears.Load() {
		b.seq++
		return b.c.insist(ctx, states, wrap(ctx, trying, err))
	}
	return wrap(ctx, trying, b.tell(ctx, b.c.rdb.Pipeline(), states))
}

// tell sends the pipeline, with the message to other nodes at its end.
func (b *Bus) tell(ctx context.Context, pipe goredis.Pipeliner, states []persistence.State) error {
	var told *goredis.IntCmd
	for _, f := range b.frames(states) {
		told = pipe.Publish(ctx, b.c.eventsChannel(), f)
	}
	_, err := pipe.Exec(ctx)
	b.alone = err == nil && told.Val() <= b.ears.Load()
	return err
}

// insist sets the states' keys once more if the server was too full for it. The messages were sent all the same.
func (c *Client) insist(ctx context.Context, states []persistence.State, err error) error {
	if !errors.Is(err, persistence.ErrFull) {
		return err
	}
	pipe := c.rdb.Pipeline()
	pipe.ScriptLoad(ctx, stateScript.source)
	for i := range states {
		pipe.EvalSha(ctx, stateScript.hash, []string{c.jobPrefix() + states[i].ID.String()}, states[i].JSON, c.ttl(&states[i]).Milliseconds())
	}
	_, err = pipe.Exec(ctx)
	return wrap(ctx, "set "+strconv.Itoa(len(states))+" states on a full server", err)
}

// ttl is how long the state's key is kept.
func (c *Client) ttl(s *persistence.State) time.Duration {
	if s.Terminal {
		return c.config.TerminalTTL
	}
	return c.config.LiveTTL
}

// announce adds, for each state, the setting of its key and the message on its channel.
func (c *Client) announce(ctx context.Context, pipe goredis.Pipeliner, states []persistence.State) {
	prefix := c.jobPrefix()
	var names strings.Builder
	names.Grow(len(states) * (len(prefix) + idBytes))
	var buf [idBytes]byte
	for i := range states {
		names.WriteString(prefix)
		text, _ := states[i].ID.AppendText(buf[:0])
		names.Write(text)
	}
	all, width := names.String(), len(prefix)+idBytes
	live, terminal := c.config.LiveTTL.Milliseconds(), c.config.TerminalTTL.Milliseconds()
	keys := make([]string, len(states))
	args := make([]any, 0, 8*len(states))
	for i := range states {
		keys[i] = all[i*width : (i+1)*width]
		ttl := &live
		if states[i].Terminal {
			ttl = &terminal
		}
		from := len(args)
		args = append(args, "set", &keys[i], states[i].JSON, "px", ttl, "publish", &keys[i], states[i].JSON)
		args[from+7] = args[from+2]
		_ = pipe.Process(ctx, goredis.NewStatusCmd(ctx, args[from:from+5:from+5]...))
		_ = pipe.Process(ctx, goredis.NewIntCmd(ctx, args[from+5:from+8:from+8]...))
	}
}

// frames is what other nodes are told.
func (b *Bus) frames(states []persistence.State) (frames [][]byte) {
	for len(states) > 0 {
		bytes, n := 0, 0
		for n < len(states) && (n == 0 || bytes+len(states[n].JSON) <= maxFrame) {
			bytes += len(states[n].JSON) + 3
			n++
		}
		b.seq++
		f := frame{kind: statesFrame, boot: b.boot, node: b.node, seq: b.seq}
		data := f.append(make([]byte, 0, bytes+128))
		for i := range n {
			data = appendPart(data, states[i].JSON)
		}
		frames = append(frames, data)
		states = states[n:]
	}
	return frames
}
