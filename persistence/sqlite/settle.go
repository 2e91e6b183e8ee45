package sqlite

import (
	"context"
	"fmt"
	"slices"
	"time"

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
		switch {
		case s.Verb < persistence.Ack || s.Verb > persistence.Park:
			return nil, fmt.Errorf("%s job %s: %w: unknown verb %d", doing, s.Lease.ID, persistence.ErrInvalid, s.Verb)
		case s.Verb == persistence.Park && !job.ValidName(s.For):
			return nil, fmt.Errorf("%s job %s: %w: to be parked for %.80q", doing, s.Lease.ID, persistence.ErrInvalid, s.For)
		}
	}
	answers := make([]bool, len(settlements))
	err := i.writer.do(ctx, doing, len(settlements), func(c *change) error { return c.settle(c.queue(queue), settlements, answers) })
	if err != nil {
		return nil, err
	}
	if slices.Contains(answers, true) {
		i.roomMade(queue)
	}
	return answers, nil
}

// roomMade wakes those who watch the queue if a claim was cut by its limit.
func (i inbox) roomMade(queue string) {
	q := i.queues.find(queue)
	if q == nil || q.cut.Load() == 0 {
		return
	}
	if until := q.cut.Swap(0); time.Now().UnixMicro() < until {
		i.wakes.call(map[string]struct{}{queue: {}})
	}
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
			if err := c.delay(q, e, s.RunAt); err != nil {
				return err
			}
		case persistence.Park:
			if err := c.park(q, e, s.For); err != nil {
				return err
			}
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
