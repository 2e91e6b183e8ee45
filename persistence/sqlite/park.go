package sqlite

import (
	"maps"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	countParked = inline("count parked entries", "SELECT node, count(*) FROM inbox WHERE queue = ?1 AND state = 4 GROUP BY node")
	parkEntry   = inline("park entry", "UPDATE inbox SET state = 4, due = 0, node = ?2 WHERE n = ?1")
)

// parking is how many jobs of a queue are parked: in memory only, for few queues have any, and the table is counted when it is opened.
type parking struct {
	all int64
	by  map[string]int64
}

// park counts parked jobs under a name in or out.
func (c *counters) park(name string, jobs int64) {
	next := parking{by: map[string]int64{}}
	if c.parked != nil {
		next = parking{c.parked.all, maps.Clone(c.parked.by)}
	}
	next.all += jobs
	if next.by[name] += jobs; next.by[name] == 0 {
		delete(next.by, name)
	}
	if c.parked = &next; len(next.by) == 0 {
		c.parked = nil
	}
}

// sleeping is how many jobs are parked.
func (c *counters) sleeping() int64 {
	if c.parked == nil {
		return 0
	}
	return c.parked.all
}

// takeable are the names of those given under which jobs are parked, in order, and how many these are.
func (c *counters) takeable(can []string) (names []string, jobs int64) {
	if c.parked == nil {
		return nil, 0
	}
	for _, name := range can {
		if n := c.parked.by[name]; n > 0 && !slices.Contains(names, name) {
			names, jobs = append(names, name), jobs+n
		}
	}
	slices.Sort(names)
	return names, jobs
}

// park makes a leased job wait for who can take it, or delays it if there are too many names.
func (c *change) park(q *queue, e *entry, name string) error {
	if p := q.next.parked; p != nil && p.by[name] == 0 && len(p.by) >= persistence.MaxParked {
		return c.delay(q, e, c.now.Add(persistence.ParkDelay))
	}
	if _, err := c.exec(parkEntry, e.n, name); err != nil {
		return err
	}
	q.next.leased--
	q.next.park(name, 1)
	c.wake(q)
	return nil
}

func (c *change) delay(q *queue, e *entry, until time.Time) error {
	if _, err := c.exec(delayEntry, e.n, until.UnixMicro()); err != nil {
		return err
	}
	q.next.move(leased, delayed, 1)
	return nil
}
