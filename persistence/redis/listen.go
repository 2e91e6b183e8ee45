package redis

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// Times of a subscription.
const (
	pingEvery    = time.Second     // so that a server that does not answer is told from one with nothing to say
	silenceLimit = 3 * time.Second // then the connection is given up
	retryFirst   = 50 * time.Millisecond
	retryLast    = time.Second
)

// listener is who hears a channel. All its calls come from one goroutine.
type listener struct {
	confirmed func(again bool)     // the server has confirmed the subscription; again after a connection was lost
	message   func(payload string) // in the order of publishing
	tick      func(now time.Time)  // about once a second while connected
	lost      func()               // a subscription that was confirmed has ended
}

// listen subscribes to a channel until the context ends, connecting again as often as it must.
func (c *Client) listen(ctx context.Context, channel string, to listener) error {
	again, wait := false, retryFirst
	for {
		confirmed := c.hear(ctx, channel, again, to)
		if confirmed {
			to.lost()
			again, wait = true, retryFirst
		}
		if ctx.Err() != nil {
			return nil //nolint:nilerr // its context's end is how it ends
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.ctx.Done():
			return fmt.Errorf("redis: listen to %s: %w", channel, goredis.ErrClosed)
		case <-time.After(wait):
		}
		wait = min(2*wait, retryLast)
	}
}

// hear listens on one connection until that fails or falls silent, and says whether it ever was subscribed.
func (c *Client) hear(ctx context.Context, channel string, again bool, to listener) (confirmed bool) {
	c.receive(ctx, c.rdb.Subscribe(ctx), hearing{
		begin: func(ctx context.Context, sub *goredis.PubSub) error { return sub.Subscribe(ctx, channel) },
		message: func(m any) bool {
			switch m := m.(type) {
			case *goredis.Subscription:
				to.confirmed(again)
				confirmed, again = true, true
			case *goredis.Message:
				to.message(m.Payload)
			}
			return true
		},
		tick: func(now time.Time) {
			if confirmed {
				to.tick(now)
			}
		},
	})
	return confirmed
}

// hearing is what is done with one connection. All calls come from one goroutine.
type hearing struct {
	begin   func(ctx context.Context, sub *goredis.PubSub) error // subscribe
	message func(m any) bool                                     // what go-redis makes of it; false ends the hearing
	tick    func(now time.Time)                                  // about once a second
}

// receive listens on one connection until that fails or falls silent, or enough was heard. The client's own reconnecting is not used:
// it does not notice a connection that only one side has closed.
func (c *Client) receive(ctx context.Context, sub *goredis.PubSub, h hearing) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrived := make(chan any)
	done := make(chan struct{})
	defer func() {
		cancel()
		_ = sub.Close() // unblocks the reader
		<-done
	}()
	if err := h.begin(ctx, sub); err != nil {
		close(done)
		return
	}
	go func() {
		defer close(done)
		defer close(arrived)
		for {
			m, err := sub.Receive(context.WithoutCancel(ctx))
			if err != nil {
				return
			}
			select {
			case arrived <- m:
			case <-ctx.Done():
				return
			}
		}
	}()
	ticks := time.NewTicker(pingEvery)
	defer ticks.Stop()
	heard := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ctx.Done():
			return
		case m, ok := <-arrived:
			if !ok {
				return
			}
			heard = time.Now()
			if !h.message(m) {
				return
			}
		case now := <-ticks.C:
			if now.Sub(heard) > silenceLimit || pingSub(ctx, sub) != nil {
				return
			}
			h.tick(now)
		}
	}
}

func pingSub(ctx context.Context, sub *goredis.PubSub) error {
	ctx, cancel := context.WithTimeout(ctx, pingEvery)
	defer cancel()
	return sub.Ping(ctx)
}
