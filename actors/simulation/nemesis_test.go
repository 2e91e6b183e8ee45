package simulation

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// A blow is one kind of fault. It answers when all is well again.
type blow struct {
	name   string
	weight int
	strike func(c *cluster, rng *rand.Rand, victim int) func()
}

func within(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)))
}

// onNode strikes the node in a slot, if one runs there.
func onNode(c *cluster, slot int, f func(n *node)) func() {
	return func() {
		c.mu.Lock()
		n := c.slots[slot].node
		c.mu.Unlock()
		if n != nil {
			f(n)
		}
	}
}

func onLink(what string, change func(rng *rand.Rand) func(*state), end func(*state), low, high time.Duration) func(*cluster, *rand.Rand, int) func() {
	return func(c *cluster, rng *rand.Rand, victim int) func() {
		server, lasts, begin := rng.IntN(servers), within(rng, low, high), change(rng)
		return onNode(c, victim, func(n *node) { c.fault(n, serverNames[server]+" "+what, lasts, []int{server}, begin, end) })
	}
}

func always(change func(*state)) func(*rand.Rand) func(*state) {
	return func(*rand.Rand) func(*state) { return change }
}

var all = []int{toInbox, toStore, toBus, toMembers}

// blows are all there are.
var blows = []blow{
	{"crash", 25, func(c *cluster, rng *rand.Rand, victim int) func() {
		rest := within(rng, time.Second, 20*time.Second)
		return onNode(c, max(victim, protected), func(n *node) {
			if c.crash(n) {
				c.ledger.count("crash")
				time.Sleep(rest)
				c.start(n.slot)
			}
		})
	}},
	{"drain", 6, func(c *cluster, rng *rand.Rand, victim int) func() {
		patience := within(rng, time.Second, 12*time.Second)
		return onNode(c, max(victim, protected), func(n *node) {
			c.ledger.faulted(n.name, "drain", patience+10*time.Second)
			c.drain(n, patience)
			c.start(n.slot)
		})
	}},
	{"pause", 10, func(c *cluster, rng *rand.Rand, victim int) func() {
		lasts := within(rng, time.Second, 60*time.Second)
		return onNode(c, victim, func(n *node) {
			c.fault(n, "pause", lasts, all, func(s *state) { s.stalled = true }, func(s *state) { s.stalled = false })
		})
	}},
	{"cut", 16, onLink("cut", always(func(s *state) { s.cut = true }), func(s *state) { s.cut = false }, time.Second, 25*time.Second)},
	{"stall", 10, onLink("stalled", always(func(s *state) { s.stalled = true }), func(s *state) { s.stalled = false }, time.Second, 25*time.Second)},
	{"lossy", 12, onLink("lossy", func(rng *rand.Rand) func(*state) {
		share := 0.1 + 0.6*rng.Float64()
		return func(s *state) { s.lossy = share }
	}, func(s *state) { s.lossy = 0 }, time.Second, 25*time.Second)},
	{"slow", 8, onLink("slow", func(rng *rand.Rand) func(*state) {
		slow := within(rng, 20*time.Millisecond, 3*time.Second)
		return func(s *state) { s.slow = slow }
	}, func(s *state) { s.slow = 0 }, time.Second, 25*time.Second)},
	{"partition", 6, func(c *cluster, rng *rand.Rand, _ int) func() {
		links := slices.Clone(all)[:1+rng.IntN(servers)]
		if rng.IntN(3) == 0 {
			links = []int{toStore}
		}
		slots, lasts := rng.Perm(c.plan.nodes)[:1+c.plan.nodes/6], within(rng, time.Second, 20*time.Second)
		return func() {
			var parted sync.WaitGroup
			for _, slot := range slots {
				parted.Go(onNode(c, slot, func(n *node) {
					c.fault(n, "partition", lasts, links, func(s *state) { s.cut = true }, func(s *state) { s.cut = false })
				}))
			}
			parted.Wait()
		}
	}},
}

// disasters befall a server, for all nodes at once.
var disasters = []blow{
	{"store down", 4, func(c *cluster, rng *rand.Rand, _ int) func() {
		lasts := within(rng, time.Second, 20*time.Second)
		return func() { c.outage(toStore, lasts) }
	}},
	{"inbox down", 4, func(c *cluster, rng *rand.Rand, _ int) func() {
		lasts := within(rng, time.Second, 20*time.Second)
		return func() { c.outage(toInbox, lasts) }
	}},
	{"bus down", 2, func(c *cluster, rng *rand.Rand, _ int) func() {
		lasts := within(rng, time.Second, 20*time.Second)
		return func() { c.outage(toBus, lasts) }
	}},
	{"members down", 2, func(c *cluster, rng *rand.Rand, _ int) func() {
		lasts := within(rng, time.Second, 20*time.Second)
		return func() { c.outage(toMembers, lasts) }
	}},
	{"inbox lost", 2, func(c *cluster, _ *rand.Rand, _ int) func() {
		return func() {
			c.ledger.lost("inbox lost", c.has)
			c.inbox.Lose()
		}
	}},
	{"inbox rolled back", 3, func(c *cluster, rng *rand.Rand, _ int) func() {
		ago := within(rng, 100*time.Millisecond, 5*time.Second)
		return func() {
			was := c.inbox.Remember()
			time.Sleep(ago)
			c.ledger.lost("inbox rolled back", c.has)
			c.inbox.RollBack(was)
		}
	}},
}

// blowEvery is how long there is between two blows for each node, but for a large cluster: whenever one comes or goes, each of all the others
// reads who there is, and here they share one processor. Disasters come every disasterEvery.
const (
	blowEvery     = 80 * time.Second
	blowAtMost    = 1500 * time.Millisecond
	disasterEvery = 30 * time.Second
)

// rage strikes until the storm is over, and answers when all is well again.
func (c *cluster) rage() {
	if c.plan.calm {
		return
	}
	var striking sync.WaitGroup
	striking.Go(func() { c.strike(c.plan.rng(3), blows, max(blowEvery/time.Duration(c.plan.nodes), blowAtMost)) })
	striking.Go(func() { c.strike(c.plan.rng(4), disasters, disasterEvery) })
	striking.Wait()
}

// strike chooses blows by their weights, each of them once before any of them twice.
func (c *cluster) strike(rng *rand.Rand, from []blow, every time.Duration) {
	var striking sync.WaitGroup
	defer striking.Wait()
	order := rng.Perm(len(from))
	for end := time.Now().Add(c.plan.storm); ; {
		time.Sleep(within(rng, every/2, every*3/2))
		if time.Now().After(end) {
			return
		}
		var b *blow
		if len(order) > 0 {
			b, order = &from[order[0]], order[1:]
		} else {
			b = choose(rng, from)
		}
		striking.Go(b.strike(c, rng, rng.IntN(c.plan.nodes)))
	}
}

func choose(rng *rand.Rand, from []blow) *blow {
	sum := 0
	for i := range from {
		sum += from[i].weight
	}
	d := rng.IntN(sum)
	for i := range from {
		if d -= from[i].weight; d < 0 {
			return &from[i]
		}
	}
	panic("unreachable")
}
