package httpapi

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meta-ad-studio/troupe/actors"
)

// cursor is where a client stands: the id of a frame, "EPOCH-N". It promises that everything up to the broadcaster's
// number N was sent before it. Frames do not come in the order of their numbers (the ended jobs go first), so the id of a frame is
// not its own number but the largest for which the promise holds.
//
// A stream of one job adds the job's rev, "EPOCH-N-REV": a node with another epoch can then tell that the client has seen the end.
type cursor struct {
	epoch string
	n     int64
	rev   int64
}

// parseCursor reads an id that a client sends back. What it can't read is no cursor: the client gets everything.
func parseCursor(s string) cursor {
	if len(s) > 128 {
		return cursor{}
	}
	parts := strings.Split(s, "-")
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
		return cursor{}
	}
	c := cursor{epoch: parts[0]}
	var err error
	if c.n, err = strconv.ParseInt(parts[1], 10, 64); err != nil || c.n < 0 {
		return cursor{}
	}
	if len(parts) == 3 {
		if c.rev, err = strconv.ParseInt(parts[2], 10, 64); err != nil || c.rev < 0 {
			return cursor{}
		}
	}
	return c
}

func (c cursor) String() string {
	s := c.epoch + "-" + strconv.FormatInt(c.n, 10)
	if c.rev > 0 {
		s += "-" + strconv.FormatInt(c.rev, 10)
	}
	return s
}

// promises are, for each update of a batch, the number that may be promised once it is written, beginning at what was
// promised before.
func promises(before int64, updates []*actors.Update) []int64 {
	safe := make([]int64, len(updates))
	least := int64(-1) // of those that come later
	top := before
	for _, u := range updates {
		top = max(top, u.Seq)
	}
	for i, u := range slices.Backward(updates) {
		if least < 0 {
			safe[i] = top
		} else {
			safe[i] = max(before, min(top, least-1))
		}
		if least < 0 || u.Seq < least {
			least = u.Seq
		}
	}
	return safe
}
