package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// outcome is how a handler ended, by its own word.
type outcome string

const (
	outcomeOK      outcome = "ok"
	outcomeFailed  outcome = "failed"
	outcomePanic   outcome = "panic"
	outcomeSnoozed outcome = "snoozed"
	outcomeStopped outcome = "stopped" // its context had ended
	outcomeCrashed outcome = "crashed" // with its node
)

func outcomeOf(err error) outcome {
	_, snoozed := job.Outcome(nil, err, 0).(job.Snoozed)
	switch {
	case err == nil:
		return outcomeOK
	case snoozed:
		return outcomeSnoozed
	case errors.Is(err, errPlanned):
		return outcomeFailed
	}
	return outcomeStopped
}

// run is one run of a handler.
type run struct {
	id      job.ID
	n       int
	kind    string
	life    int
	attempt int
	token   int64
	node    string
	start   time.Time
	end     time.Time // zero while it runs
	outcome outcome
	toldAt  time.Time // when its context ended
	cause   error
	ghost   bool // of a node that was dead already
}

func (r *run) over(at time.Time) bool { return !r.end.IsZero() && !r.end.After(at) }

// window is a time in which something was wrong with a node, or with a server if the node is empty.
type window struct {
	node     string
	what     string
	from, to time.Time
}

// saved is a checkpoint that a handler was told is durable.
type saved struct {
	token int64
	step  int
	at    time.Time
}

// ledger is what really happened.
type ledger struct {
	cluster *cluster

	mu       sync.Mutex
	began0   time.Time
	runs     []*run
	byJob    map[job.ID][]*run
	live     map[*run]struct{}
	claims   map[job.ID]map[int64]time.Time // by token: when the inbox gave it out last
	saved    map[job.ID][]saved
	windows  []window
	losses   []time.Time // when the inbox lost something
	faults   map[string]int
	crashes  map[string]time.Time // of nodes
	snoozed  map[int]int
	adopt    map[job.ID]time.Time // jobs whose node has crashed, and that did not run again yet
	adopted  []time.Duration
	asks     map[int]*asked
	acks     map[job.ID]*asked
	cancels  []cancelled
	watchers []*watcher
	broken   []string
	excused  int // jobs accepted by the inbox alone that it then lost
	overlaps int
	most     int // handlers of the limited queue at once, on nodes that were well
}

// asked is a job that a client asked for.
type asked struct {
	order
	kind  string
	key   string
	id    job.ID
	acked time.Time // zero: it was never answered
	// only the inbox had it when that lost its memory
	exposed bool
	store   bool // durability "store"
	// a client has tried to cancel it
	cancelling bool
}

// cancelled is a request to cancel that was answered.
type cancelled struct {
	id     job.ID
	life   int
	at     time.Time
	status job.Status
}

func newLedger(c *cluster) *ledger {
	return &ledger{
		cluster: c, began0: time.Now(), byJob: map[job.ID][]*run{}, live: map[*run]struct{}{}, claims: map[job.ID]map[int64]time.Time{},
		saved: map[job.ID][]saved{}, faults: map[string]int{}, crashes: map[string]time.Time{}, snoozed: map[int]int{}, adopt: map[job.ID]time.Time{},
		asks: map[int]*asked{}, acks: map[job.ID]*asked{},
	}
}

const maxBroken = 50

// violated notes a broken promise. Call it under the lock.
func (l *ledger) violated(rule, format string, values ...any) {
	if len(l.broken) < maxBroken {
		l.broken = append(l.broken, fmt.Sprintf("%s at %s: ", rule, time.Since(l.began0).Round(time.Millisecond))+fmt.Sprintf(format, values...))
	}
}

func (l *ledger) count(fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[fault]++
}

func (l *ledger) began(n *node, j *actors.Job, number int) *run {
	now := time.Now()
	record := j.Record()
	r := &run{id: j.ID(), n: number, kind: j.Kind(), life: j.Life(), attempt: j.Attempt(), token: j.Token(), node: n.name, start: now}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, r.ghost = l.crashes[n.name]; r.ghost {
		return r
	}
	if record.RunAt.After(now.Add(50 * time.Millisecond)) {
		l.violated("I12", "job %s began %s before it was due", r.id, record.RunAt.Sub(now))
	}
	if record.Node != n.name {
		l.violated("I3", "job %s runs on %s with a record of %s", r.id, n.name, record.Node)
	}
	if died, ok := l.adopt[r.id]; ok {
		l.adopted = append(l.adopted, now.Sub(died))
		delete(l.adopt, r.id)
	}
	for _, other := range l.byJob[r.id] {
		l.overlap(other, r, now)
	}
	l.runs, l.byJob[r.id] = append(l.runs, r), append(l.byJob[r.id], r)
	l.live[r] = struct{}{}
	if r.kind == "limited" {
		l.limited(r, now)
	}
	return r
}

// overlap: two handlers run one job at once only if the first was told to end, or its node was not well.
func (l *ledger) overlap(first, second *run, now time.Time) {
	if first.over(now) {
		return
	}
	l.overlaps++
	if first.node == second.node && first.toldAt.IsZero() {
		l.violated("I8", "job %s runs twice on %s", first.id, first.node)
		return
	}
	if first.toldAt.IsZero() && !l.unwell(first.node, now.Add(-3*lease), now) {
		l.violated("I8", "job %s runs on %s (token %d) and on %s (token %d), and nothing was wrong with the first",
			first.id, first.node, first.token, second.node, second.token)
	}
}

// limited: no more handlers at once than the bound, apart from those on nodes that may have lost their leases without knowing.
func (l *ledger) limited(began *run, now time.Time) {
	if l.cluster.plan.limit == 0 || l.unwell(began.node, now.Add(-3*lease), now) {
		return
	}
	n := 0
	for r := range l.live {
		if r.kind == "limited" && r.toldAt.IsZero() && !l.unwell(r.node, now.Add(-3*lease), now) {
			n++
		}
	}
	if l.most = max(l.most, n); n > l.cluster.plan.limit {
		l.violated("limit", "%d handlers of the queue run at once, the bound is %d", n, l.cluster.plan.limit)
	}
}

// unwell says whether anything was wrong with a node, or with a server, within the time.
func (l *ledger) unwell(node string, from, to time.Time) bool {
	for i := len(l.windows) - 1; i >= 0; i-- {
		w := &l.windows[i]
		if (w.node == node || w.node == "") && !w.from.After(to) && !w.to.Before(from) {
			return true
		}
	}
	return false
}

func (l *ledger) told(r *run, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.toldAt, r.cause = time.Now(), cause
}

func (l *ledger) ended(r *run, o outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.ghost || !r.end.IsZero() {
		return
	}
	r.end, r.outcome = time.Now(), o
	delete(l.live, r)
	if o == outcomeSnoozed {
		l.snoozed[r.n]++
	}
}

func (l *ledger) snoozes(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snoozed[n]
}

// restored: a checkpoint that was durable before this claim is there.
func (l *ledger) restored(r *run, step int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	claimed := l.claims[r.id][r.token]
	for _, s := range l.saved[r.id] {
		if s.step > step && s.token < r.token && s.at.Before(claimed) {
			l.violated("checkpoint", "job %s goes on from step %d under token %d, and step %d was durable under token %d %s before the claim",
				r.id, step, r.token, s.step, s.token, claimed.Sub(s.at))
		}
	}
}

func (l *ledger) kept(r *run, step int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !r.ghost && r.end.IsZero() {
		l.saved[r.id] = append(l.saved[r.id], saved{r.token, step, time.Now()})
	}
}

// crashed ends all handlers of a node.
func (l *ledger) crashed(node string) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crashes[node] = now
	l.windows = append(l.windows, window{node, "crash", now, now.Add(time.Hour)})
	for r := range l.live {
		if r.node == node {
			r.end, r.outcome = now, outcomeCrashed
			delete(l.live, r)
			if r.toldAt.IsZero() {
				l.adopt[r.id] = now
			}
		}
	}
}

func (l *ledger) faulted(node, what string, lasts time.Duration) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[what]++
	l.windows = append(l.windows, window{node, what, now, now.Add(lasts)})
}

// lost is called before the inbox loses what it was told since the given time.
func (l *ledger) lost(what string, has func(job.ID) bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults[what]++
	l.losses = append(l.losses, now)
	l.windows = append(l.windows, window{"", what, now, now.Add(2 * lease)})
	for _, a := range l.asks {
		if !a.id.IsZero() && !has(a.id) && !a.store {
			a.exposed = true
		}
	}
}

// afterLoss says whether the inbox had lost something within the time.
func (l *ledger) afterLoss(from, to time.Time) bool {
	return slices.ContainsFunc(l.losses, func(at time.Time) bool { return !at.Before(from) && !at.After(to) })
}

// claimed is told at the inbox's side.
func (l *ledger) claimed(claims []persistence.Claim) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range claims {
		if l.claims[c.ID] == nil {
			l.claims[c.ID] = map[int64]time.Time{}
		}
		l.claims[c.ID][c.Token] = now
	}
}

// settled is told at the inbox's side: a job may be let go of only when the store says that it has ended, or is another's.
func (l *ledger) settled(settlements []persistence.Settlement, held []bool) {
	var ids []job.ID
	leases := map[job.ID]persistence.Lease{}
	for i, s := range settlements {
		if i < len(held) && held[i] && (s.Verb == persistence.Ack || s.Verb == persistence.Dead) {
			ids = append(ids, s.Lease.ID)
			leases[s.Lease.ID] = s.Lease
		}
	}
	if len(ids) == 0 {
		return
	}
	records, _ := l.cluster.store.Get(context.Background(), ids)
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(records) < len(ids) {
		l.violated("ack after commit", "%d jobs left the inbox, and %d have a row", len(ids), len(records))
	}
	now := time.Now()
	for i := range records {
		j, lease := &records[i].Job, leases[records[i].Job.ID]
		another := j.Token >= lease.Token && (j.Token != lease.Token || j.Node != lease.Node)
		if !j.Status.Terminal() && !another && !l.afterLoss(now.Add(-time.Minute), now) {
			l.violated("ack after commit", "job %s left the inbox under token %d while its row says %s under token %d", j.ID, lease.Token, j.Status, j.Token)
		}
	}
}

// published is told at the bus's side: an end is told only when the store has it.
func (l *ledger) published(states []persistence.State) {
	var ids []job.ID
	views := map[job.ID]job.View{}
	for _, s := range states {
		var v job.View
		if s.Terminal && json.Unmarshal(s.JSON, &v) == nil {
			ids = append(ids, s.ID)
			views[s.ID] = v
		}
	}
	if len(ids) == 0 {
		return
	}
	records, _ := l.cluster.store.Get(context.Background(), ids)
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := map[job.ID]*job.Job{}
	for i := range records {
		rows[records[i].Job.ID] = &records[i].Job
	}
	for id, v := range views {
		if j := rows[id]; j == nil || j.View().Version < v.Version {
			l.violated("publish after commit", "job %s was told to be %s at rev %d before its row was", id, v.Status, v.Version)
		}
	}
}
