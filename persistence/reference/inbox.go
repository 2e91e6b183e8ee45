package reference

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Inbox is persistence.Inbox over slices in memory.
type Inbox struct {
	mu         sync.Mutex
	fault      string // a mistake to make
	generation int
	queues     map[string]*queue
	watchers   map[int]func(string)
	watches    int
}

var _ persistence.Inbox = (*Inbox)(nil)

type queue struct {
	waiting [job.MaxPriority + 1][]*held
	known   map[job.ID]*held
	dead    map[job.ID]time.Time // when it became one
	keys    map[[2]string]bound
	cut     bool // a claim was cut by its limit while jobs waited
}

type held struct {
	persistence.Entry
	place  string
	until  time.Time // of the lease or the delay
	node   string
	parked string // the name, if it is
	cancel bool
}

type bound struct {
	id          job.ID
	fingerprint string
	until       time.Time
}

// NewInbox makes an empty inbox, which errs as the fault says; an empty fault is none.
func NewInbox(fault string) *Inbox {
	return &Inbox{fault: fault, queues: make(map[string]*queue), watchers: make(map[int]func(string))}
}

// in locks the inbox and finds the queue; call the returned function when done.
func (in *Inbox) in(ctx context.Context, name string) (*queue, func(), error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	}
	in.mu.Lock()
	q := in.queues[name]
	if q == nil {
		q = &queue{known: make(map[job.ID]*held), dead: make(map[job.ID]time.Time), keys: make(map[[2]string]bound)}
		in.queues[name] = q
	}
	return q, in.mu.Unlock, nil
}

func (in *Inbox) wake(name string) {
	for _, wake := range in.watchers {
		wake(name)
	}
}

func (q *queue) wait(h *held, front bool) {
	h.place = "waiting"
	if front {
		q.waiting[h.Priority] = slices.Insert(q.waiting[h.Priority], 0, h)
	} else {
		q.waiting[h.Priority] = append(q.waiting[h.Priority], h)
	}
}

func (q *queue) unwait(h *held) {
	q.waiting[h.Priority] = slices.DeleteFunc(q.waiting[h.Priority], func(o *held) bool { return o == h })
}

// Enqueue implements persistence.Inbox.
func (in *Inbox) Enqueue(ctx context.Context, name string, entries []persistence.Entry) ([]persistence.Enqueued, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if len(entries) > persistence.MaxBatch {
		return nil, fmt.Errorf("%d entries: %w", len(entries), persistence.ErrInvalid)
	}
	now := time.Now()
	var answers []persistence.Enqueued
	for _, e := range entries {
		if k := e.Key; k != nil {
			name := [2]string{k.Scope, k.Key}
			if b, taken := q.keys[name]; taken && b.id != e.ID && now.Before(b.until) && in.fault != "keys are not bound" {
				answers = append(answers, persistence.Enqueued{Holder: b.id, Fingerprint: b.fingerprint})
				continue
			}
			q.keys[name] = bound{e.ID, k.Fingerprint, now.Add(k.TTL)}
		}
		answers = append(answers, persistence.Enqueued{Accepted: true})
		if old := q.known[e.ID]; old != nil {
			if old.Life >= e.Life && in.fault != "enqueue replaces" {
				continue
			}
			q.unwait(old)
		}
		e.Envelope = bytes.Clone(e.Envelope)
		h := &held{Entry: e, place: "delayed", until: e.RunAt}
		q.known[e.ID] = h
		if !e.RunAt.After(now) {
			q.wait(h, false)
		}
	}
	in.wake(name)
	return answers, nil
}

func (in *Inbox) holds(q *queue, l persistence.Lease) bool {
	h := q.known[l.ID]
	return h != nil && h.place == "leased" && h.Token == l.Token && (h.node == l.Node || in.fault == "any node")
}

// Renew implements persistence.Inbox.
func (in *Inbox) Renew(ctx context.Context, name string, leases []persistence.Lease, term time.Duration) ([]persistence.Renewal, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var answers []persistence.Renewal
	for _, l := range leases {
		switch h := q.known[l.ID]; {
		case h == nil:
			answers = append(answers, persistence.Renewal{State: persistence.Forgotten})
		case in.holds(q, l):
			h.until = time.Now().Add(term)
			answers = append(answers, persistence.Renewal{State: persistence.Held, CancelRequested: h.cancel})
		default:
			answers = append(answers, persistence.Renewal{State: persistence.Lost})
		}
	}
	return answers, nil
}

// Settle implements persistence.Inbox.
func (in *Inbox) Settle(ctx context.Context, name string, settlements []persistence.Settlement) ([]bool, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, s := range settlements {
		if s.Verb == persistence.Park && !job.ValidName(s.For) {
			return nil, fmt.Errorf("parked for %q: %w", s.For, persistence.ErrInvalid)
		}
	}
	var answers []bool
	returned := false
	for _, s := range settlements {
		if !in.holds(q, s.Lease) {
			answers = append(answers, false)
			continue
		}
		answers = append(answers, true)
		h := q.known[s.Lease.ID]
		switch s.Verb {
		case persistence.Ack:
			delete(q.known, h.ID)
		case persistence.Dead:
			delete(q.known, h.ID)
			q.dead[h.ID] = time.Now()
		case persistence.Delay:
			h.place, h.until = "delayed", s.RunAt
		case persistence.Return:
			q.wait(h, in.fault != "return to the back")
			returned = true
		case persistence.Park:
			if h.place, h.parked = "parked", s.For; q.names() > persistence.MaxParked {
				h.place, h.until = "delayed", time.Now().Add(persistence.ParkDelay)
			}
			returned = true
		}
	}
	if returned || q.cut && slices.Contains(answers, true) {
		q.cut = false
		in.wake(name)
	}
	return answers, nil
}

// Restore implements persistence.Inbox.
func (in *Inbox) Restore(ctx context.Context, name, node string, entries []persistence.Entry, lease time.Duration) ([]bool, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var answers []bool
	for _, e := range entries {
		_, known := q.known[e.ID]
		if !known {
			q.known[e.ID] = &held{Entry: e, place: "leased", node: node, until: time.Now().Add(lease)}
		}
		answers = append(answers, !known)
	}
	return answers, nil
}

func (q *queue) past(place string, most int) []*held {
	var over []*held
	for _, h := range q.known {
		if h.place == place && !h.until.After(time.Now()) && len(over) < most {
			over = append(over, h)
		}
	}
	return over
}

// Reap implements persistence.Inbox.
func (in *Inbox) Reap(ctx context.Context, name string, most int) ([]job.ID, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var ids []job.ID
	for _, h := range q.past("leased", most) {
		ids = append(ids, h.ID)
		if in.fault != "crashes are not counted" {
			h.Crashes++
		}
		q.wait(h, in.fault != "reap to the back")
	}
	if len(ids) > 0 {
		in.wake(name)
	}
	return ids, nil
}

// Due implements persistence.Inbox.
func (in *Inbox) Due(ctx context.Context, name string, most int) (int, time.Time, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return 0, time.Time{}, err
	}
	defer unlock()
	over := q.past("delayed", most)
	for _, h := range over {
		q.wait(h, in.fault == "due to the front")
	}
	var next time.Time
	for _, h := range q.known {
		if h.place == "delayed" && (next.IsZero() || h.until.Before(next)) {
			next = h.until
		}
	}
	if len(over) > 0 {
		in.wake(name)
	}
	return len(over), next, nil
}

// Hasten implements persistence.Inbox.
func (in *Inbox) Hasten(ctx context.Context, name string, tokens map[job.ID]int64) error {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	for id, token := range tokens {
		if h := q.known[id]; h != nil && h.place == "delayed" {
			h.Token = max(h.Token, token)
			q.wait(h, false)
		}
	}
	in.wake(name)
	return nil
}

// Remove implements persistence.Inbox.
func (in *Inbox) Remove(ctx context.Context, name string, ids []job.ID) error {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	for _, id := range ids {
		delete(q.dead, id)
		if h := q.known[id]; h != nil && (h.place != "leased" || in.fault == "remove takes leased") {
			q.unwait(h)
			delete(q.known, id)
		}
	}
	return nil
}

// RequestCancel implements persistence.Inbox.
func (in *Inbox) RequestCancel(ctx context.Context, name string, id job.ID) error {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return err
	}
	defer unlock()
	if h := q.known[id]; h != nil {
		h.cancel = true
	}
	return nil
}

// Known implements persistence.Inbox.
func (in *Inbox) Known(ctx context.Context, name string, ids []job.ID) ([]bool, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var answers []bool
	for _, id := range ids {
		answers = append(answers, q.known[id] != nil)
	}
	return answers, nil
}

// Depth implements persistence.Inbox.
func (in *Inbox) Depth(ctx context.Context, name string) (persistence.Depth, error) {
	q, unlock, err := in.in(ctx, name)
	if err != nil {
		return persistence.Depth{}, err
	}
	defer unlock()
	d := persistence.Depth{Dead: int64(len(q.dead))}
	for _, at := range q.dead {
		if d.OldestDead.IsZero() || at.Before(d.OldestDead) {
			d.OldestDead = at
		}
	}
	for _, h := range q.known {
		switch h.place {
		case "leased":
			d.Leased++
		case "delayed":
			d.Delayed++
		}
	}
	for _, w := range q.waiting {
		if d.Waiting += int64(len(w)); len(w) > 0 && (d.Oldest.IsZero() || w[0].ID.Time().Before(d.Oldest)) {
			d.Oldest = w[0].ID.Time()
		}
	}
	for _, h := range q.known {
		if h.place != "parked" {
			continue
		}
		d.Waiting++
		if d.Parked == nil {
			d.Parked = make(map[string]int64)
		}
		d.Parked[h.parked]++
		if at := h.ID.Time(); d.Oldest.IsZero() || at.Before(d.Oldest) {
			d.Oldest = at
		}
	}
	return d, nil
}

// Generation implements persistence.Inbox.
func (in *Inbox) Generation(context.Context) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return fmt.Sprint("generation ", in.generation), nil
}

// Watch implements persistence.Inbox.
func (in *Inbox) Watch(ctx context.Context, wake func(string)) error {
	in.mu.Lock()
	in.watches++
	n := in.watches
	in.watchers[n] = wake
	in.mu.Unlock()
	<-ctx.Done()
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.watchers, n)
	return ctx.Err()
}

// Ping implements persistence.Inbox.
func (in *Inbox) Ping(ctx context.Context) error { return ctx.Err() }
