package actors

import (
	"cmp"
	"context"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// intakeRef is the intake of one queue: it claims as many jobs as there are free slots, in one call at a time, and keeps their
// leases alive. While a call is under way slots gather, so that claims are as large as the load makes them.
//
// Supervision: top level, restarted for ever with its state.
//
//	message   from                        open                               closed
//	wake      inbox watch, timer          claim, if slots are free           ignored
//	paced     timer                       claim                              ignored
//	claimed   the claim's goroutine       hand to the supervisor, go on      hand to the supervisor, which hands back
//	adopted   the reader's goroutine      the same                           the same
//	freed     attempts                    count, claim                       count
//	gone      job actors                  forget the lease, claim            forget the lease
//	renew     timer                       renew what is held                 the same: handlers still run
//	renewed   the renewal's goroutine     tell actors what is lost           the same
//	limit     timekeeper                  change the number of slots         the same
//	close     App                         claim no more                      answer
type intakeRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
	slots  *atomic.Int64 // freed and not yet counted
}

func (r intakeRef) wake()         { r.system.Root.Send(r.pid, &wake{}) }
func (r intakeRef) limit(l limit) { r.system.Root.Send(r.pid, &l) }
func (r intakeRef) renew()        { r.system.Root.Send(r.pid, &renew{}) }

// renewAll is renew for all leases, however fresh.
func (r intakeRef) renewAll() { r.system.Root.Send(r.pid, &renew{all: true}) }

// freed gives a slot back. Only the first of those that come while the intake is busy is a message.
func (r intakeRef) freed() {
	if r.slots.Add(1) == 1 {
		r.system.Root.Send(r.pid, &freed{})
	}
}

// gone ends the keeping of leases.
func (r intakeRef) gone(leases ...persistence.Lease) { r.system.Root.Send(r.pid, &gone{leases}) }

// close ends claiming, and waits until what was being claimed is in the supervisor's hands, or the context ends.
func (r intakeRef) close(ctx context.Context) {
	done := make(chan struct{})
	r.system.Root.Send(r.pid, &closeIntake{done})
	select {
	case <-done:
	case <-ctx.Done():
	}
}

type (
	wake    struct{}
	paced   struct{}
	claimed struct {
		jobs   []claimedJob
		unread int // further jobs, of which the store is being asked
		parked int // further jobs, which are for other nodes
		asked  int
		err    error
	}
	adopted struct { // what the store said of jobs that were unread
		claimed *claimed
		of      int
	}
	freed   struct{}
	gone    struct{ leases []persistence.Lease }
	renew   struct{ all bool }
	renewed struct {
		lost      []persistence.Lease
		forgotten []job.ID
		cancel    []job.ID
		err       error
	}
	limit struct {
		concurrency int
		everywhere  int
		paused      bool
	}
	closeIntake struct{ done chan struct{} }
)

type intake struct {
	app   *App
	queue Queue
	self  intakeRef

	limit    int
	ask      persistence.Ask // what a claim asks for, but for Max
	paused   bool
	closed   []chan struct{} // who wait for the last claim; not nil once closed
	unread   int             // claimed jobs of which the store is being asked
	running  int             // slots taken: handlers that run, or are about to
	held     map[job.ID]holding
	claiming bool
	hungry   bool      // asked to claim while a claim was under way
	full     bool      // the last claim got all it asked for: there is a backlog
	asked    time.Time // when that was
	pacing   bool      // a wake-up is set
	renewing bool
	missed   bool // a renewal came due while one was under way: the next begins when that is over
	again    bool // and is of all leases
	backoff  time.Duration
	stop     func()
}

// holding is a lease that this node keeps alive.
type holding struct {
	lease persistence.Lease
	since time.Time // of the claim
}

// pollEvery is how long a wake-up may be missed.
const pollEvery = 500 * time.Millisecond

func newIntakeRef(a *App, queue string) intakeRef {
	return intakeRef{a.system, a.system.NewLocalPID("intake-" + queue), new(atomic.Int64)}
}

func spawnIntake(a *App, q Queue, s persistence.QueueSettings) error {
	in := &intake{app: a, queue: q, limit: cmp.Or(s.Concurrency, q.Concurrency), paused: s.Paused, held: map[job.ID]holding{}}
	in.ask = persistence.Ask{Lease: a.config.Lease, Limit: s.Everywhere, Can: a.can}
	in.self = a.intakes[q.Name]
	pid, err := a.spawn(in.self.pid.Id, in)
	if err != nil {
		return err
	}
	polls := a.timers.SendRepeatedly(0, pollEvery, pid, &wake{})
	renewals := a.timers.SendRepeatedly(a.config.Lease/3, a.config.Lease/3, pid, &renew{})
	in.stop = func() { polls(); renewals() }
	return nil
}

// Receive implements actor.Actor.
func (in *intake) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *wake:
		in.claim(c)
	case *paced:
		in.pacing = false
		in.claim(c)
	case *claimed:
		in.onClaimed(c, m)
	case *adopted:
		in.onAdopted(m)
	case *freed:
		in.take(-int(in.self.slots.Swap(0)))
		in.claim(c)
	case *gone:
		in.onGone(m)
		in.claim(c)
	case *renew:
		in.renew(c, m.all)
	case *renewed:
		in.onRenewed(c, m)
	case *limit:
		in.onLimit(c, m)
	case *closeIntake:
		in.closed = append(in.closed, m.done)
		in.checkClosed()
	case *actor.Stopping:
		in.stop()
	}
}

func (in *intake) claim(c actor.Context) {
	room := min(in.limit-in.running, in.limit+maxUnsettled-len(in.held), persistence.MaxBatch)
	if in.closed != nil || in.paused || room <= 0 || in.app.barred() {
		return
	}
	if in.claiming {
		in.hungry = true
		return
	}
	if in.pace(c, room) {
		return
	}
	in.claiming, in.hungry, in.asked = true, false, time.Now()
	root, self, ask := c.ActorSystem().Root, c.Self(), in.ask
	ask.Max = room
	go func() { root.Send(self, in.app.claim(in.queue.Name, ask, in.self)) }()
}

// claimPace is how long a few free slots wait for more, when there is a backlog. A claim has a price of its own, a write to disk, which
// many jobs should share.
const claimPace = 4 * time.Millisecond

// pace says whether to wait for more free slots: only with a backlog, so that a lone job is claimed at once.
func (in *intake) pace(c actor.Context, room int) bool {
	wait := claimPace - time.Since(in.asked)
	if !in.full || room >= in.limit/8 || wait <= 0 {
		return false
	}
	if !in.pacing {
		in.pacing = true
		in.app.timers.SendOnce(wait, c.Self(), &paced{})
	}
	return true
}

func (in *intake) onClaimed(c actor.Context, m *claimed) {
	in.claiming = false
	if m.err != nil {
		in.backoff = min(max(2*in.backoff, 50*time.Millisecond), 2*time.Second)
		in.app.log.Warn("nothing could be claimed; trying again", "queue", in.queue.Name, "wait", in.backoff, "error", m.err)
		if in.closed != nil {
			in.checkClosed()
			return
		}
		in.claiming = true // until the pause is over
		in.app.timers.SendOnce(in.backoff, c.Self(), &claimed{})
		return
	}
	in.backoff = 0
	in.full = m.asked > 0 && len(m.jobs)+m.unread+m.parked == m.asked
	in.take(m.unread)
	in.unread += m.unread
	in.start(m)
	in.checkClosed()
	if in.hungry || in.full {
		in.claim(c)
	}
}

func (in *intake) onAdopted(m *adopted) {
	in.take(-m.of)
	in.unread -= m.of
	in.start(m.claimed)
	in.checkClosed()
}

func (in *intake) checkClosed() {
	if in.closed == nil || in.claiming || in.unread > 0 {
		return
	}
	for _, done := range in.closed {
		close(done)
	}
	in.closed = in.closed[:0] // not nil: it stays closed
}

// take counts slots as taken, or given back.
func (in *intake) take(slots int) {
	in.running += slots
	in.app.metrics.running.WithLabelValues(in.queue.Name).Set(float64(in.running))
}

func (in *intake) start(m *claimed) {
	if len(m.jobs) == 0 {
		return
	}
	now := time.Now()
	for i := range m.jobs {
		in.hold(&m.jobs[i], now)
	}
	in.take(len(m.jobs))
	in.app.metrics.claimed(in.queue.Name, len(m.jobs))
	in.app.supervisor.start(m.jobs)
}

func (in *intake) hold(claimed *claimedJob, now time.Time) {
	in.held[claimed.lease.ID] = holding{claimed.lease, now}
}

func (in *intake) onGone(m *gone) {
	for _, lease := range m.leases {
		if h, ok := in.held[lease.ID]; ok && h.lease.Token == lease.Token {
			delete(in.held, lease.ID)
		}
	}
}

func (in *intake) onLimit(c actor.Context, m *limit) {
	in.limit, in.ask.Limit, in.paused = cmp.Or(m.concurrency, in.queue.Concurrency), m.everywhere, m.paused
	in.app.metrics.limits(in.queue.Name, in.limit, in.paused)
	in.claim(c)
}

// renew gives every lease that is not quite fresh another term, or simply every one.
func (in *intake) renew(c actor.Context, all bool) {
	if in.renewing {
		in.missed, in.again = true, in.again || all
		return
	}
	now := time.Now()
	var due []persistence.Lease
	for _, h := range in.held {
		if all || now.Sub(h.since) >= in.app.config.Lease/4 {
			due = append(due, h.lease)
		}
	}
	if len(due) == 0 {
		return
	}
	in.renewing = true
	root, self := c.ActorSystem().Root, c.Self()
	go func() { root.Send(self, in.app.renew(in.queue.Name, due)) }()
}

func (in *intake) onRenewed(c actor.Context, m *renewed) {
	in.renewing = false
	if in.missed { // what was claimed meanwhile has no term to spare for the next tick
		all := in.again
		in.missed, in.again = false, false
		in.renew(c, all)
	}
	for _, lease := range m.lost {
		in.app.supervisor.tell(lease.ID, &leaseLost{})
	}
	for _, id := range m.forgotten {
		in.app.supervisor.tell(id, &forgotten{})
	}
	in.app.renewedCancelled(m.cancel)
	if m.err != nil {
		in.app.log.Warn("leases could not be renewed; handlers go on", "queue", in.queue.Name, "leases", len(in.held), "error", m.err)
	}
}
