package kubernetes

import (
	"net/http"
	"sync"
	"time"
)

// clock is the API server's, as its answers tell it to the second. Between two of them the monotonic clock counts.
type clock struct {
	mu    sync.Mutex
	base  time.Time // the server's
	heard time.Time // ours, then
}

func (c *clock) told(date string) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A date is cut to its second: what was counted on since an earlier one is nearer, unless the clock was set.
	if behind := at.Sub(c.base.Add(time.Since(c.heard))); behind > 0 || behind < -2*time.Second {
		c.base, c.heard = at, time.Now()
	}
}

// now is the server's time, a second too early at most; ours as long as the server has told none.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.base.IsZero() {
		return time.Now().UTC()
	}
	return c.base.Add(time.Since(c.heard)).UTC()
}
