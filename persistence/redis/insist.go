package redis

import (
	"context"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// insist does what announce does where the server has refused that, as one does that is full.
func (b *Bus) insist(ctx context.Context, states []persistence.State, word []byte) (heard int64, err error) {
	l := newCall(insistScript)
	for _, key := range b.c.jobKeys(states) {
		l.key(key)
	}
	l.number(b.c.config.LiveTTL.Milliseconds())
	l.number(b.c.config.TerminalTTL.Milliseconds())
	var ends strings.Builder
	for i := range states {
		if states[i].Terminal {
			ends.WriteByte('e')
		} else {
			ends.WriteByte('-')
		}
	}
	l.text(ends.String())
	for i := range states {
		l.args = append(l.args, states[i].JSON)
	}
	if _, err := run(ctx, b.c, l, "insist", goredis.NewStatusCmd); err != nil {
		return 0, err
	}
	pipe := b.c.rdb.Pipeline()
	counted := b.count(ctx, pipe, word)
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, err
	}
	return counted(), nil
}

// insistOne sets and announces one state, where the server has refused plain commands.
func (c *Client) insistOne(ctx context.Context, state *persistence.State) error {
	l := newCall(insistScript)
	l.key(c.jobPrefix() + state.ID.String())
	l.number(c.config.LiveTTL.Milliseconds())
	l.number(c.config.TerminalTTL.Milliseconds())
	if state.Terminal {
		l.text("e")
	} else {
		l.text("-")
	}
	l.args = append(l.args, state.JSON)
	_, err := run(ctx, c, l, "insist", goredis.NewStatusCmd)
	return err
}

// word is what other nodes are told of the states.
func (b *Bus) word(states []persistence.State) []byte {
	bytes := 128
	for i := range states {
		bytes += len(states[i].JSON) + 4
	}
	f := frame{kind: statesFrame, boot: b.boot, node: b.node, seq: b.seq, sent: time.Now().UnixMicro()}
	data := f.append(make([]byte, 0, bytes))
	for i := range states {
		data = appendPart(data, states[i].JSON)
	}
	return data
}

// jobKeys are the names of the states' keys. They share one piece of memory.
func (c *Client) jobKeys(states []persistence.State) []string {
	prefix := c.jobPrefix()
	width := len(prefix) + idBytes
	var names strings.Builder
	names.Grow(len(states) * width)
	var buf [idBytes]byte
	for i := range states {
		names.WriteString(prefix)
		text, _ := states[i].ID.AppendText(buf[:0])
		names.Write(text)
	}
	all := names.String()
	keys := make([]string, len(states))
	for i := range keys {
		keys[i] = all[i*width : (i+1)*width]
	}
	return keys
}
