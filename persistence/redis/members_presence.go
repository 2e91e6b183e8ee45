package redis

import (
	"context"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// maxPresences bounds how many nodes of one client have a presence, a connection each: it is one, but for tests. The others are
// declared dead by their silence alone.
const maxPresences = 100

// presence is a node's subscription to its own channel.
type presence struct {
	end       context.CancelFunc
	confirmed atomic.Int64 // how often
	looked    atomic.Int64 // as of the last beat that was answered
}

// present answers the node's presence, opened if it has none, and the nonce of its next beat.
func (m *Members) present(name string) (*presence, string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	nonce := m.nonce(name)
	if p := m.presences[name]; p != nil || m.closed || len(m.presences) >= maxPresences {
		return p, nonce
	}
	ctx, cancel := context.WithCancel(m.c.ctx)
	p := &presence{end: cancel}
	m.presences[name] = p
	m.c.running.Go(func() { m.stay(ctx, m.keys.presence+name, p) })
	return p, nonce
}

// absent ends the node's presence.
func (m *Members) absent(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.nonces, name)
	if p := m.presences[name]; p != nil {
		p.end()
		delete(m.presences, name)
	}
}

func (m *Members) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	for _, p := range m.presences {
		p.end()
	}
}

// anew says, as the script wants it, whether the presence was confirmed since the last beat that was answered: if the server is another
// one since, that beat is to find it out. Call answered once it was.
func (p *presence) anew() (word string, answered func()) {
	if p == nil {
		return "0", func() {}
	}
	n := p.confirmed.Load()
	if n == p.looked.Load() {
		return "0", func() {}
	}
	return "1", func() { p.looked.Store(n) }
}

// stay subscribes to the channel until the context ends, again as often as it must.
func (m *Members) stay(ctx context.Context, channel string, p *presence) {
	for wait := retryFirst; ; wait = min(2*wait, retryLast) {
		if m.hear(ctx, channel, p) {
			wait = retryFirst
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if m.c.cluster != nil {
			m.c.cluster.ReloadState(ctx) // its slot may have moved
		}
	}
}

// hear stays subscribed for as long as one connection lasts, and says whether it ever was.
func (m *Members) hear(ctx context.Context, channel string, p *presence) (confirmed bool) {
	sub, subscribe := m.c.rdb.Subscribe(ctx), (*goredis.PubSub).Subscribe
	if m.c.cluster != nil {
		sub, subscribe = m.c.rdb.SSubscribe(ctx), (*goredis.PubSub).SSubscribe
	}
	m.c.receive(ctx, sub, hearing{
		begin: func(ctx context.Context, sub *goredis.PubSub) error { return subscribe(sub, ctx, channel) },
		message: func(m any) bool {
			if s, ok := m.(*goredis.Subscription); ok {
				if s.Kind != "subscribe" && s.Kind != "ssubscribe" {
					return false // the slot moves to another server
				}
				confirmed = true
				p.confirmed.Add(1)
			}
			return true
		},
		tick: func(time.Time) {},
	})
	return confirmed
}
