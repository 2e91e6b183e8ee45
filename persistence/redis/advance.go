package redis

import (
	"context"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// advance is a run of the script of that name for some of the states: the keys and channels of those that are newer than what is there
// go on. The word is said if none of them is too old; nil for none.
func (b *Bus) advance(states []persistence.State, which []int, word []byte) *call {
	l := newCall(advanceScript)
	prefix := b.c.jobPrefix()
	for _, i := range which {
		l.key(prefix + states[i].ID.String())
	}
	b.c.advanceTerms(l, states, which)
	if word == nil {
		l.text("")
	} else {
		l.text(b.c.eventsChannel())
	}
	l.args = append(l.args, word)
	for _, i := range which {
		l.number(states[i].Version)
		l.args = append(l.args, states[i].JSON)
	}
	return l
}

// advanceTerms adds how long the keys are kept.
func (c *Client) advanceTerms(l *call, states []persistence.State, which []int) {
	l.number(c.config.LiveTTL.Milliseconds())
	l.number(c.config.TerminalTTL.Milliseconds())
	var ends strings.Builder
	for _, i := range which {
		if states[i].Terminal {
			ends.WriteByte('e')
		} else {
			ends.WriteByte('-')
		}
	}
	l.text(ends.String())
}

// insist does what announce does where the server has refused that, as one does that is full or has forgotten the script.
func (b *Bus) insist(ctx context.Context, states []persistence.State, word []byte) (announced, error) {
	all := make([]int, len(states))
	for i := range all {
		all[i] = i
	}
	answer, err := run(ctx, b.c, b.advance(states, all, word), "advance", goredis.NewIntSliceCmd)
	if err != nil {
		return announced{}, err
	}
	said := saidOf(answer.Val(), all)
	if word == nil {
		counts, err := b.c.rdb.PubSubNumSub(ctx, b.c.eventsChannel()).Result()
		if err != nil {
			return announced{}, err
		}
		said.heard = counts[b.c.eventsChannel()]
	}
	return said, nil
}

// announced is what became of states.
type announced struct {
	heard int64 // by how many the word was heard, or would have been
	stale []int // the states that were too old, ascending; if there are any, the word was not said
}

// saidOf reads the script's answer for the states at these places.
func saidOf(answer []int64, which []int) (said announced) {
	if len(answer) == 0 {
		return said
	}
	said.heard = answer[0]
	for _, at := range answer[1:] {
		said.stale = append(said.stale, which[at-1])
	}
	return said
}

// without is the states that are not at those places.
func without(states []persistence.State, places []int) []persistence.State {
	left := make([]persistence.State, 0, len(states)-len(places))
	for i := range states {
		if len(places) > 0 && places[0] == i {
			places = places[1:]
			continue
		}
		left = append(left, states[i])
	}
	return left
}

// advanceOne is a run of the script for one state, on a cluster, where no two keys need be on one server.
func (c *Client) advanceOne(state *persistence.State) *call {
	l := newCall(advanceScript)
	l.key(c.jobPrefix() + state.ID.String())
	c.advanceTerms(l, []persistence.State{*state}, []int{0})
	l.text("")
	l.text("")
	l.number(state.Version)
	l.args = append(l.args, state.JSON)
	return l
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
