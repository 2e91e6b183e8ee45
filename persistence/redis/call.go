package redis

import (
	"strconv"
	"strings"
	"sync"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// call gathers the arguments of one script's run. The client writes a *string as the text it points to, so the texts
// of a batch lie side by side here and cost no allocation each.
type call struct {
	script *script
	keys   int
	args   []any
	texts  []string
}

// idBytes is the length of an id as text.
const idBytes = 36

var calls = sync.Pool{New: func() any { return new(call) }}

// maxKept bounds the arguments of a call that is kept for the next.
const maxKept = 8 << 10

func newCall(s *script, keys ...*string) *call {
	l := calls.Get().(*call)
	l.script, l.keys = s, len(keys)
	l.args = append(l.args[:0], "evalsha", &s.hash, nil)
	for _, key := range keys {
		l.args = append(l.args, key)
	}
	return l
}

func (l *call) end() {
	clear(l.args)
	clear(l.texts)
	l.args, l.texts, l.script = l.args[:0], l.texts[:0], nil
	if cap(l.args) <= maxKept {
		calls.Put(l)
	}
}

// key adds a key; all keys stand before the first text.
func (l *call) key(name string) {
	l.text(name)
	l.keys++
}

func (l *call) text(s string) {
	l.texts = append(l.texts, s)
	l.args = append(l.args, &l.texts[len(l.texts)-1])
}

func (l *call) number(n int64) { l.text(strconv.FormatInt(n, 10)) }

// ids adds n ids, which are given by position.
func (l *call) ids(n int, id func(i int) job.ID) {
	var b strings.Builder
	b.Grow(n * idBytes)
	var buf [idBytes]byte
	for i := range n {
		text, _ := id(i).AppendText(buf[:0])
		b.Write(text)
	}
	all := b.String()
	for i := range n {
		l.text(all[i*idBytes : (i+1)*idBytes])
	}
}
