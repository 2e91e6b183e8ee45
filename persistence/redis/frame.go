package redis

import (
	"encoding/binary"
	"errors"
)

// frame is one message of the channel events.
type frame struct {
	kind  byte
	boot  string // names one Bus for as long as it lives
	node  string
	seq   uint64 // of the last message with states or a signal, this one included
	sent  int64  // when, in microseconds by the node's clock
	parts [][]byte
}

const (
	frameVersion = 2
	statesFrame  = 's' // parts are job.Views as JSON
	signalFrame  = 'g' // one part, a persistence.Signal as JSON
	tickFrame    = 't' // still there
	byeFrame     = 'b' // leaves, having said all it had to say
)

var errFrame = errors.New("not a message of this bus")

func (f *frame) append(b []byte) []byte {
	b = append(b, frameVersion, f.kind)
	b = appendPart(b, f.boot)
	b = appendPart(b, f.node)
	b = binary.AppendUvarint(b, f.seq)
	b = binary.AppendVarint(b, f.sent)
	for _, part := range f.parts {
		b = appendPart(b, part)
	}
	return b
}

func appendPart[T string | []byte](b []byte, part T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// parseFrame reads a frame; its parts share the payload's memory.
func parseFrame(payload []byte) (frame, error) {
	if len(payload) < 2 || payload[0] != frameVersion {
		return frame{}, errFrame
	}
	f := frame{kind: payload[1]}
	boot, rest, ok1 := cutPart(payload[2:])
	node, rest, ok2 := cutPart(rest)
	seq, n := binary.Uvarint(rest)
	if !ok1 || !ok2 || n <= 0 {
		return frame{}, errFrame
	}
	sent, m := binary.Varint(rest[n:])
	if m <= 0 {
		return frame{}, errFrame
	}
	f.boot, f.node, f.seq, f.sent, rest = string(boot), string(node), seq, sent, rest[n+m:]
	for len(rest) > 0 {
		var part []byte
		var ok bool
		if part, rest, ok = cutPart(rest); !ok {
			return frame{}, errFrame
		}
		f.parts = append(f.parts, part)
	}
	return f, nil
}

func cutPart(b []byte) (part, rest []byte, ok bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, nil, false
	}
	end := n + int(length)
	return b[n:end:end], b[end:], true
}
