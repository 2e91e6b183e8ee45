package sqlite

import (
	"context"
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	listDead    = inline("list dead letter", "INSERT OR IGNORE INTO inbox_dead (queue, id, at) VALUES (?1, ?2, ?3)")
	delayEntry  = inline("delay entry", "UPDATE inbox SET state = 2, due = ?2, node = '' WHERE n = ?1")
	returnEntry = inline("return entry", "UPDATE inbox SET state = 1, seq = ?2, crashes = crashes + ?3, due = 0, node = '' WHERE n = ?1")
)

// Settle implements persistence.Inbox. Jobs returned together keep their order at the front.
func (i inbox) Settle(ctx context.Context, queue string, settlements []persistence.Settlement) ([]bool, error) {
	const doing = "settle"
	if err := within(doing, len(settlements)); err != nil || len(settlements) == 0 {
		return nil, err
	}
	for _, s := range settlements {
		if s.Verb < persistence.Ack || s.Verb > persistence.Return {
			return nil, fmt.Errorf("%s job %s: %w: unknown verb %d", doing, s.Lease.ID, persistence.ErrInvalid, s.Verb)
		}
	}
	answers := make([]bool, len(settlements))
	err := i.writer.do(ctx, doing, len(settlements), func(c *change) error { return c.settle(c.queue(queue), settlements, answers) })
	if err != nil {
		return nil, err
	}
	return answers, nil
}

func (c *change) settle(q *queue, settlements []persistence.Settlement, answers []bool) error {
	clear(answers)
	ids := make([]job.ID, len(settlements))
	for n := range settlements {
		ids[n] = settlements[n].Lease.ID
	}
	found, err := c.entries(q, ids)
	if err != nil {
		return err
	}
	var ended, returned []*entry
	settled := make(map[int64]struct{}, len(found))
	for n, s := range settlements {
		e := found[n]
		if !e.heldBy(s.Lease) {
			continue
		}
		if _, twice := settled[e.n]; twice {
			continue
		}
		settled[e.n], answers[n] = struct{}{}, true
		switch s.Verb {
		case persistence.Dead:
			listed, err := c.exec(listDead, q.n, s.Lease.ID[:], c.now.UnixMicro())
			if err != nil {
				return err
			}
			q.next.dead += listed
			ended = append(ended, e)
		case persistence.Ack:
			ended = append(ended, e)
		case persistence.Delay:
			if _, err := c.exec(delayEntry, e.n, s.RunAt.UnixMicro()); err != nil {
				return err
			}
			q.next.move(leased, delayed, 1)
		case persistence.Return:
			returned = append(returned, e)
		}
	}
	if err := c.drop(q, ended); err != nil {
		return err
	}
	return c.toFront(q, returned, 0)
}

// toFront makes leased jobs claimable before all others of their priority, in the order given, and counts crashes.
func (c *change) toFront(q *queue, entries []*entry, crashes int) error {
	if len(entries) == 0 {
		return nil
	}
	place := q.next.first(len(entries))
	for n, e := range entries {
		if _, err := c.exec(returnEntry, e.n, place+int64(n), crashes); err != nil {
			return err
		}
	}
	q.next.move(leased, waiting, len(entries))
	c.wake(q)
	return nil
}
