package actors

import "sync"

// crew runs functions on goroutines that it keeps for a while: a new goroutine begins with a small stack and has to grow it, which for jobs that do
// little costs more than the jobs.
type crew struct {
	mu     sync.Mutex
	idle   []chan func()
	max    int // idle ones kept
	closed bool
}

// maxIdle is how many idle goroutines a crew keeps.
const maxIdle = 1024

func newCrew() *crew { return &crew{max: maxIdle} }

// run runs f, and never waits for it.
func (c *crew) run(f func()) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		hand := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		hand <- f
		return
	}
	c.mu.Unlock()
	go c.work(f)
}

func (c *crew) work(f func()) {
	hand := make(chan func(), 1)
	for {
		f()
		c.mu.Lock()
		if c.closed || len(c.idle) >= c.max {
			c.mu.Unlock()
			return
		}
		c.idle = append(c.idle, hand)
		c.mu.Unlock()
		if f = <-hand; f == nil {
			return
		}
	}
}

// close lets idle goroutines go. What still runs is not waited for.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, hand := range c.idle {
		hand <- nil
	}
	c.idle = nil
}

// Schedule implements actor.Dispatcher: it runs mailboxes.
func (c *crew) Schedule(f func()) { c.run(f) }

// Throughput implements actor.Dispatcher: how many messages an actor takes before others have their turn.
func (c *crew) Throughput() int { return 300 }
