package redis

import (
	"context"
	"strconv"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Publish implements persistence.Bus: one pipeline.
func (b *Bus) Publish(ctx context.Context, states []persistence.State) error {
	if len(states) == 0 {
		return nil
	}
	b.live()
	b.mu.Lock()
	defer b.mu.Unlock()
	pipe := b.c.rdb.Pipeline()
	b.c.announce(ctx, pipe, states)
	for _, f := range b.frames(states) {
		pipe.Publish(ctx, b.c.eventsChannel(), f)
	}
	_, err := pipe.Exec(ctx)
	return wrap(ctx, "publish "+strconv.Itoa(len(states))+" states", err)
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
