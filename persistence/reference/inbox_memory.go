package reference

import (
	"maps"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Lose empties the inbox, as a server does that comes back without its data.
func (in *Inbox) Lose() { in.RollBack(Memory{}) }

// Memory is all that an inbox knew at one time.
type Memory struct{ queues map[string]*queue }

// Remember copies what the inbox knows.
func (in *Inbox) Remember() Memory {
	in.mu.Lock()
	defer in.mu.Unlock()
	m := Memory{make(map[string]*queue, len(in.queues))}
	for name, q := range in.queues {
		m.queues[name] = q.clone()
	}
	return m
}

// RollBack makes the inbox know what it knew then and nothing since, as a server does that is replaced by a replica which lags behind.
func (in *Inbox) RollBack(m Memory) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.generation++
	clear(in.queues)
	for name, q := range m.queues {
		in.queues[name] = q.clone()
	}
}

func (q *queue) clone() *queue {
	c := &queue{known: make(map[job.ID]*held, len(q.known)), dead: maps.Clone(q.dead), keys: maps.Clone(q.keys)}
	for id, h := range q.known {
		copied := *h
		c.known[id] = &copied
	}
	for p, line := range q.waiting {
		for _, h := range line {
			c.waiting[p] = append(c.waiting[p], c.known[h.ID])
		}
	}
	return c
}
