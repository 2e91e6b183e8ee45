package httpapi

import (
	"strconv"
	"strings"
)

// cursor is where a client stands: the id of a frame, "EPOCH-N". It promises that everything up to the broadcaster's
// number N was sent by then. The node numbers its updates so; here the number is only kept from going back.
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
