package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Subscribe implements persistence.Bus: one connection to each master, for the partitions it has. When a connection is lost, or a
// partition moves, its partitions are subscribed to anew wherever they are then, and a gap is reported.
func (b *ShardedBus) Subscribe(ctx context.Context, ready func(), receive func(persistence.Delivery)) error {
	b.live()
	s := &shards{bus: b, ready: ready, receive: receive, names: make(map[string]int, partitions)}
	orphans := make([]int, partitions)
	for p := range partitions {
		orphans[p] = p
		s.names[b.c.shardChannel(p)] = p
		s.from[p].heard = map[string]*source{}
	}
	ended := make(chan []int, partitions) // no partition is with two connections: it never blocks
	var hearing sync.WaitGroup
	defer hearing.Wait()
	wait := retryFirst
	for {
		groups, without := b.owners(ctx, orphans)
		for server, parts := range groups {
			hearing.Go(func() { s.hear(ctx, server, parts); ended <- parts })
		}
		orphans = without
		if len(orphans) == 0 {
			wait = retryFirst
			select {
			case <-ctx.Done():
				return nil
			case <-b.c.ctx.Done():
				return fmt.Errorf("redis: subscribe: %w", goredis.ErrClosed)
			case parts := <-ended:
				orphans = append(orphans, parts...)
			}
		}
		select { // also so that servers which refuse are not asked in a loop
		case <-ctx.Done():
			return nil
		case <-b.c.ctx.Done():
			return fmt.Errorf("redis: subscribe: %w", goredis.ErrClosed)
		case <-time.After(wait):
		}
		wait = min(2*wait, retryLast)
		for more := true; more; {
			select {
			case parts := <-ended:
				orphans = append(orphans, parts...)
			default:
				more = false
			}
		}
		b.c.cluster.ReloadState(ctx)
	}
}

// owners groups partitions by the master that has them; those without one now are left over.
func (b *ShardedBus) owners(ctx context.Context, of []int) (groups map[*goredis.Client][]int, without []int) {
	groups = map[*goredis.Client][]int{}
	for _, p := range of {
		server, err := b.c.cluster.MasterForKey(ctx, partitionTag(p))
		if err != nil {
			without = append(without, p)
			continue
		}
		groups[server] = append(groups[server], p)
	}
	return groups, without
}

// shards is one subscription to all partitions.
type shards struct {
	bus   *ShardedBus
	names map[string]int // of channels

	mu      sync.Mutex // also around receive: its calls come one after the other
	ready   func()
	receive func(persistence.Delivery)
	from    [partitions]sources
	known   [partitions]bool // subscribed to before
	met     int              // how many are known
}

// hear listens for some partitions on one connection, until that fails, falls silent, or loses one of them.
func (s *shards) hear(ctx context.Context, server *goredis.Client, parts []int) {
	confirmed := 0
	s.bus.c.receive(ctx, server.SSubscribe(ctx), hearing{
		begin: func(ctx context.Context, sub *goredis.PubSub) error {
			for _, p := range parts { // one call for each: channels of one call must share a slot
				if err := sub.SSubscribe(ctx, s.bus.c.shardChannel(p)); err != nil {
					return err
				}
			}
			return nil
		},
		message: func(m any) bool {
			switch m := m.(type) {
			case *goredis.Subscription:
				if m.Kind != "ssubscribe" {
					return false // it moves to another master
				}
				if confirmed++; confirmed == len(parts) {
					s.confirm(parts)
				}
			case *goredis.Message:
				s.deliver(m)
			}
			return true
		},
		tick: func(now time.Time) {
			if confirmed == len(parts) {
				s.tick(parts, now)
			}
		},
	})
}

func (s *shards) confirm(parts []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	again, before := false, s.met
	for _, p := range parts {
		if s.known[p] {
			clear(s.from[p].heard)
			again = true
			continue
		}
		s.known[p] = true
		s.met++
	}
	if again {
		s.receive(persistence.Delivery{Gap: true})
	}
	if before < partitions && s.met == partitions {
		s.ready()
	}
}

func (s *shards) deliver(m *goredis.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ours := s.names[m.Channel]; ours {
		deliver(s.bus.boot, &s.from[p], m.Payload, s.receive)
	}
}

func (s *shards) tick(parts []int, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := map[string]bool{}
	for _, p := range parts {
		for _, node := range s.from[p].silent(now) {
			silent[node] = true
		}
	}
	for node := range silent {
		s.receive(persistence.Delivery{Node: node, Gap: true})
	}
}
