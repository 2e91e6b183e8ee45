package sqlite

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var forgetDead = load("forget_dead")

// Enqueue implements persistence.Inbox.
func (i inbox) Enqueue(ctx context.Context, queue string, entries []persistence.Entry) ([]persistence.Enqueued, error) {
	const doing = "enqueue"
	if err := within(doing, len(entries)); err != nil || len(entries) == 0 {
		return nil, err
	}
	answers := make([]persistence.Enqueued, len(entries))
	err := i.writer.do(ctx, doing, len(entries), func(c *change) error {
		q := c.queue(queue)
		for n := range entries {
			var err error
			if answers[n], err = c.enqueue(q, &entries[n]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

func (c *change) enqueue(q *queue, e *persistence.Entry) (persistence.Enqueued, error) {
	accepted := persistence.Enqueued{Accepted: true}
	if e.Key != nil {
		bound, err := c.boundKey(q.keys(), e.Key)
		if err != nil {
			return persistence.Enqueued{}, err
		}
		if bound != nil && bound.Job != e.ID {
			known, err := c.entries(q, []job.ID{e.ID})
			if err != nil || known[0] == nil {
				return persistence.Enqueued{Holder: bound.Job, Fingerprint: bound.Fingerprint}, err
			}
			return accepted, c.renewLife(q, e, known[0])
		}
		if bound == nil {
			if err := c.bindKey(q.keys(), e.Key, e.ID); err != nil {
				return persistence.Enqueued{}, err
			}
		}
	}
	to, due := placeOf(e.RunAt, c.now)
	inserted, err := c.insert(q, e, to, due, "")
	if err != nil {
		return persistence.Enqueued{}, err
	}
	if !inserted {
		known, err := c.entries(q, []job.ID{e.ID})
		if err != nil {
			return persistence.Enqueued{}, err
		}
		return accepted, c.renewLife(q, e, known[0])
	}
	return accepted, c.arrived(q, e, to)
}

// renewLife replaces what the inbox has of a job if the entry is of a later life.
func (c *change) renewLife(q *queue, e *persistence.Entry, known *entry) error {
	if e.Life <= known.life {
		return nil
	}
	to, due := placeOf(e.RunAt, c.now)
	_, err := c.exec(replaceEntry, known.n, int(to), e.Priority, q.next.last(), due, e.Life, e.Token, e.Crashes, orEmpty(e.Envelope))
	if err != nil {
		return err
	}
	q.next.add(known, -1)
	*q.next.in(to)++
	return c.arrived(q, e, to)
}

// arrived does what follows from a job's having come into the queue.
func (c *change) arrived(q *queue, e *persistence.Entry, to entryState) error {
	if to == waiting {
		c.wake(q)
	}
	if e.Life <= 1 || q.next.dead == 0 { // only a redriven job can be a dead letter
		return nil
	}
	return c.forgetDead(q, []job.ID{e.ID})
}

// forgetDead takes jobs off the list of dead letters.
func (c *change) forgetDead(q *queue, ids []job.ID) error {
	forgotten, err := c.exec(forgetDead, q.n, idList(ids))
	q.next.dead -= forgotten
	return err
}

// placeOf is where a job belongs that is due at a time.
func placeOf(runAt, now time.Time) (state entryState, due int64) {
	if runAt.After(now) {
		return delayed, runAt.UnixMicro()
	}
	return waiting, 0
}
