package reference

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Claim implements persistence.Inbox.
func (in *Inbox) Claim(ctx context.Context, name, node string, ask persistence.Ask) ([]persistence.Claim, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	most := ask.Max
	if room := ask.Limit - q.leases(); ask.Limit > 0 && room < most && in.fault != "no limit" {
		most = room
		defer func() { q.cut = in.next(q, ask.Can) != nil }()
	}
	var claims []persistence.Claim
	for len(claims) < most {
		h := in.next(q, ask.Can)
		if h == nil {
			break
		}
		q.unwait(h)
		h.place, h.node, h.until = "leased", node, time.Now().Add(ask.Lease)
		h.Token++
		claims = append(claims, persistence.Claim{ID: h.ID, Life: h.Life, Token: h.Token, Crashes: h.Crashes, CancelRequested: h.cancel, Envelope: h.Envelope})
		if in.fault == "cancel is told once" {
			h.cancel = false
		}
	}
	return claims, nil
}

// next is who is claimed next by a node that can take parked jobs of these names.
func (in *Inbox) next(q *queue, can []string) (next *held) {
	for _, h := range q.known {
		if h.place == "parked" && (slices.Contains(can, h.parked) || in.fault == "parked for anybody") && (next == nil || h.earlier(next)) {
			next = h
		}
	}
	for p := 0; next == nil && p < len(q.waiting); p++ {
		if len(q.waiting[p]) > 0 {
			next = q.waiting[p][0]
		}
	}
	return next
}

// earlier says whether a parked job is claimed before another.
func (h *held) earlier(o *held) bool {
	return cmp.Or(cmp.Compare(h.Priority, o.Priority), strings.Compare(h.parked, o.parked), h.ID.Compare(o.ID)) < 0
}

func (q *queue) leases() (n int) {
	for _, h := range q.known {
		if h.place == "leased" {
			n++
		}
	}
	return n
}

// names is under how many names jobs are parked.
func (q *queue) names() int {
	names := make(map[string]bool)
	for _, h := range q.known {
		if h.place == "parked" {
			names[h.parked] = true
		}
	}
	return len(names)
}
