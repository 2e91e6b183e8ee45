package simulation

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// linkedInbox is an inbox as a node reaches it. The ledger sees claims and settlements at the server's side.
type linkedInbox struct {
	*link
	persistence.Inbox // the server
	ledger            *ledger
	deaf              float64 // the share of wake-ups that are missed
}

func (in *linkedInbox) Enqueue(ctx context.Context, queue string, entries []persistence.Entry) ([]persistence.Enqueued, error) {
	entries = slices.Clone(entries)
	return over(ctx, in.link, func(ctx context.Context) ([]persistence.Enqueued, error) {
		return in.Inbox.Enqueue(ctx, queue, entries)
	})
}

func (in *linkedInbox) Claim(ctx context.Context, queue, node string, ask persistence.Ask) ([]persistence.Claim, error) {
	return over(ctx, in.link, func(ctx context.Context) ([]persistence.Claim, error) {
		claims, err := in.Inbox.Claim(ctx, queue, node, ask)
		in.ledger.claimed(claims)
		return claims, err
	})
}

func (in *linkedInbox) Renew(ctx context.Context, queue string, leases []persistence.Lease, term time.Duration) ([]persistence.Renewal, error) {
	leases = slices.Clone(leases)
	return over(ctx, in.link, func(ctx context.Context) ([]persistence.Renewal, error) {
		return in.Inbox.Renew(ctx, queue, leases, term)
	})
}

func (in *linkedInbox) Settle(ctx context.Context, queue string, settlements []persistence.Settlement) ([]bool, error) {
	settlements = slices.Clone(settlements)
	return over(ctx, in.link, func(ctx context.Context) ([]bool, error) {
		held, err := in.Inbox.Settle(ctx, queue, settlements)
		in.ledger.settled(settlements, held)
		return held, err
	})
}

func (in *linkedInbox) Restore(ctx context.Context, queue, node string, entries []persistence.Entry, lease time.Duration) ([]bool, error) {
	entries = slices.Clone(entries)
	return over(ctx, in.link, func(ctx context.Context) ([]bool, error) { return in.Inbox.Restore(ctx, queue, node, entries, lease) })
}

func (in *linkedInbox) Reap(ctx context.Context, queue string, most int) ([]job.ID, error) {
	return over(ctx, in.link, func(ctx context.Context) ([]job.ID, error) { return in.Inbox.Reap(ctx, queue, most) })
}

// reaped is the answer of ReapHolder in one value.
type reaped struct {
	ids  []job.ID
	next string
}

func (in *linkedInbox) ReapHolder(ctx context.Context, queue, node, after string, most int) ([]job.ID, string, error) {
	r, err := over(ctx, in.link, func(ctx context.Context) (reaped, error) {
		ids, next, err := in.Inbox.ReapHolder(ctx, queue, node, after, most)
		return reaped{ids, next}, err
	})
	return r.ids, r.next, err
}

// due is the answer of Due in one value.
type due struct {
	moved int
	next  time.Time
}

func (in *linkedInbox) Due(ctx context.Context, queue string, most int) (int, time.Time, error) {
	d, err := over(ctx, in.link, func(ctx context.Context) (due, error) {
		moved, next, err := in.Inbox.Due(ctx, queue, most)
		return due{moved, next}, err
	})
	return d.moved, d.next, err
}

func (in *linkedInbox) Hasten(ctx context.Context, queue string, tokens map[job.ID]int64) error {
	tokens = maps.Clone(tokens)
	return does(ctx, in.link, func(ctx context.Context) error { return in.Inbox.Hasten(ctx, queue, tokens) })
}

func (in *linkedInbox) Remove(ctx context.Context, queue string, ids []job.ID) error {
	ids = slices.Clone(ids)
	return does(ctx, in.link, func(ctx context.Context) error { return in.Inbox.Remove(ctx, queue, ids) })
}

func (in *linkedInbox) RequestCancel(ctx context.Context, queue string, id job.ID) error {
	return does(ctx, in.link, func(ctx context.Context) error { return in.Inbox.RequestCancel(ctx, queue, id) })
}

func (in *linkedInbox) Known(ctx context.Context, queue string, ids []job.ID) ([]bool, error) {
	ids = slices.Clone(ids)
	return over(ctx, in.link, func(ctx context.Context) ([]bool, error) { return in.Inbox.Known(ctx, queue, ids) })
}

func (in *linkedInbox) Depth(ctx context.Context, queue string) (persistence.Depth, error) {
	return over(ctx, in.link, func(ctx context.Context) (persistence.Depth, error) { return in.Inbox.Depth(ctx, queue) })
}

func (in *linkedInbox) Generation(ctx context.Context) (string, error) {
	return over(ctx, in.link, func(ctx context.Context) (string, error) { return in.Inbox.Generation(ctx) })
}

func (in *linkedInbox) Watch(ctx context.Context, wake func(queue string)) error {
	return in.Inbox.Watch(ctx, func(queue string) {
		if s, _ := in.look(); s == (state{}) && (in.deaf == 0 || in.dice.float() >= in.deaf) {
			wake(queue)
		}
	})
}

func (in *linkedInbox) Ping(ctx context.Context) error { return does(ctx, in.link, in.Inbox.Ping) }
