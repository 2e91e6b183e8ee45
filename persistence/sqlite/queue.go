package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
)

// queue is one queue of the inbox in memory: its number in the tables, and its counters.
type queue struct {
	n    int64
	name string
	// saved is what the last commit wrote; anybody may read it.
	saved atomic.Pointer[counters]
	// next and touched are the writer's, during a change.
	next    counters
	touched bool
	// cut is until when it is remembered that a claim was cut by its limit, in microseconds; 0 if none was.
	cut atomic.Int64
}

// counters are how many jobs a queue has in each place, and the lowest and the highest number in its order.
type counters struct {
	waiting, delayed, leased, dead int64
	front, back                    int64
	parked                         *parking // nil if none is; never changed, but replaced
}

// entryState is where the inbox has a job.
type entryState int

// The states, as the tables have them.
const (
	waiting entryState = iota + 1
	delayed
	leased
	parked // its column node is the name under which it is
)

// in is the counter of a state.
func (c *counters) in(s entryState) *int64 {
	switch s {
	case waiting:
		return &c.waiting
	case delayed:
		return &c.delayed
	case leased:
		return &c.leased
	}
	panic("sqlite: an entry without a state")
}

// add counts an entry in or out.
func (c *counters) add(e *entry, jobs int64) {
	if e.state == parked {
		c.park(e.node, jobs)
		return
	}
	*c.in(e.state) += jobs
}

// move counts jobs from one state into another; neither is parked.
func (c *counters) move(from, to entryState, jobs int) {
	*c.in(from) -= int64(jobs)
	*c.in(to) += int64(jobs)
}

// last is the next place at the back.
func (c *counters) last() int64 {
	c.back++
	return c.back
}

// first makes room for jobs at the front and returns the place of the first of them; the others follow it.
func (c *counters) first(jobs int) int64 {
	c.front -= int64(jobs)
	return c.front
}

// queues are all queues that the inbox ever had, by name. Only the writer adds to them.
type queues struct {
	mu     sync.RWMutex
	byName map[string]*queue
}

var (
	loadQueues = inline("load queues", "SELECT n, name, waiting, delayed, leased, dead, front, back FROM inbox_queues")
	saveQueue  = load("save_queue")
)

// loadAll reads the queues and their counters.
func (qs *queues) loadAll(ctx context.Context, conn *connection) error {
	qs.byName = map[string]*queue{}
	err := conn.read(ctx, loadQueues, nil, func(r row) error {
		q := &queue{n: r.int64(0), name: r.text(1)}
		q.saved.Store(&counters{
			waiting: r.int64(2), delayed: r.int64(3), leased: r.int64(4), dead: r.int64(5), front: r.int64(6), back: r.int64(7),
		})
		qs.byName[q.name] = q
		return nil
	})
	if err != nil {
		return err
	}
	for _, q := range qs.byName {
		saved := *q.saved.Load()
		if err := conn.read(ctx, countParked, []any{q.n}, func(r row) error { saved.park(r.text(0), r.int64(1)); return nil }); err != nil {
			return err
		}
		q.saved.Store(&saved)
	}
	return nil
}

// find is the queue of that name; nil if there never was one.
func (qs *queues) find(name string) *queue {
	qs.mu.RLock()
	defer qs.mu.RUnlock()
	return qs.byName[name]
}

// counts is what the last commit left in the queue; zero for one that never was.
func (qs *queues) counts(name string) counters {
	if q := qs.find(name); q != nil {
		return *q.saved.Load()
	}
	return counters{}
}

// open is the queue of that name, numbered now if there never was one. It is written with its first counters.
func (qs *queues) open(name string) *queue {
	if q := qs.find(name); q != nil {
		return q
	}
	qs.mu.Lock()
	defer qs.mu.Unlock()
	q := &queue{n: int64(len(qs.byName)) + 1, name: name}
	q.saved.Store(&counters{})
	qs.byName[name] = q
	return q
}
