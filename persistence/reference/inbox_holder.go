package reference

import (
	"context"
	"slices"
	"strconv"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// ReapHolder implements persistence.Inbox.
func (in *Inbox) ReapHolder(ctx context.Context, name, node, after string, most int) (ids []job.ID, next string, err error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	var leases []*held
	for _, h := range q.known {
		if h.place == "leased" && (h.ID.String() > after || in.fault == "a walk goes by count") {
			leases = append(leases, h)
		}
	}
	slices.SortFunc(leases, func(a, b *held) int { return a.ID.Compare(b.ID) })
	if in.fault == "a walk goes by count" {
		return in.reapByCount(name, q, leases, node, after, most)
	}
	if len(leases) > max(most, 0) {
		leases = leases[:max(most, 0)]
		if next = after; len(leases) > 0 {
			next = leases[len(leases)-1].ID.String()
		}
	}
	slices.SortStableFunc(leases, func(a, b *held) int { return b.until.Compare(a.until) })
	for _, h := range leases {
		if h.node == node || in.fault == "the leases of anybody" {
			ids = append(ids, h.ID)
			if in.fault != "crashes are not counted" {
				h.Crashes++
			}
			q.wait(h, true)
		}
	}
	slices.Reverse(ids)
	if len(ids) > 0 {
		in.wake(name)
	}
	return ids, next, nil
}

// reapByCount is the mistake to remember how many leases were looked at instead of which.
func (in *Inbox) reapByCount(name string, q *queue, leases []*held, node, after string, most int) (ids []job.ID, next string, err error) {
	from, _ := strconv.Atoi(after)
	leases = leases[min(from, len(leases)):]
	if len(leases) > most {
		leases, next = leases[:most], strconv.Itoa(from+most)
	}
	for _, h := range slices.Backward(leases) {
		if h.node == node {
			ids = append(ids, h.ID)
			h.Crashes++
			q.wait(h, true)
		}
	}
	slices.Reverse(ids)
	in.wake(name)
	return ids, next, nil
}
