package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// jobActor owns one job from its claim to the settlement of its lease: it alone changes the job, decides by the job's policy what a
// failed attempt leads to, and hands a dead letter over. It lives only while the job is claimed: a job that waits, for its turn or
// for its next attempt, waits in the inbox and costs no actor.
//
// Supervision: child of the supervisor, stopped on a panic of its own (see there).
//
//	started ──▶ running ──finished──▶ leaving ──settled──▶ stopped
//	   └────────────(ended, out of crashes)──────▲
//
//	message      from            running                              leaving
//	Started      itself          claim, record, run the handler       -
//	progressed   attempt         publish, at most each progressEvery  ignored: too late
//	publish      timer           publish what has waited              ignored
//	keep         attempt         record, answer when committed        answer that it is too late
//	finished     attempt         record the outcome, leave            stop, if the lease is settled
//	committed    journal         publish, answer keepers              ignored
//	refused      journal         somebody else has the job: give up   the same
//	settled      settler         -                                    stop, if the handler is back
//	cancelAsked  supervisor      record, end the handler's context    too late: look again once settled
//	timedOut     timer           end the handler's context            ignored
//	leaseLost    intake          end the context, stop recording      ignored: the fence decides
//	forgotten    intake          give the job back to the inbox       ignored: it was settled
//	handBack     supervisor      end the context, hand back           ignored
//	abandon      supervisor      end the context, stop                the same
//	giveUp       supervisor      end the context, hand back unrecorded ignored
//	graceOver    timer           go on without the handler            ignored
//	describe     supervisor      tell of itself                       the same
type jobActor struct {
	app      *App
	lease    persistence.Lease
	crashes  int
	intake   intakeRef
	draining bool // it is to hand the job back unrun

	job     *job.Job // replaced with each change, never changed: others hold on to it
	attempt *attempt // nil before the first and when there is none to run

	leaving   bool  // its last word is said
	returned  bool  // the handler has returned, or there was none to run
	overdue   bool  // the handler was given up
	lost      bool  // the job is another's: record nothing more
	givenUp   bool  // it is to be another's: it is handed back once the handler is
	settled   bool  // the lease is settled, or lost
	told      bool  // the settler has told the intake so
	written   int64 // the newest rev the journal was given
	changed   int64 // the newest rev that is a transition, and not mere progress
	heldBack  bool  // progress waits for a transition to be committed
	durable   int64 // the newest rev it has answered for
	keepers   []keeper
	published time.Time   // of the last progress
	persisted time.Time   // of the last progress
	waiting   bool        // a publish timer runs
	askedLate *job.Cancel // somebody asked to cancel it after its last word was said
	cause     error       // why the handler's context was ended, nil while it was not
}

func newJobActor(a *App, claimed claimedJob, draining bool) *jobActor {
	return &jobActor{
		app: a, job: claimed.job, lease: claimed.lease, crashes: claimed.crashes, intake: claimed.intake,
		draining: draining,
	}
}

type keeper struct {
	rev   int64
	reply chan error
}

type (
	progressed struct{}
	publish    struct{}
	keep       struct {
		event job.Event
		reply chan error // buffered
	}
	finished struct {
		result []byte
		err    error
	}
	committed struct{ rev int64 }
	refused   struct {
		rev     int64
		current persistence.Fence
	}
	settled     struct{}
	cancelAsked struct {
		word   job.Cancel
		answer chan<- *job.Job // nil: nobody waits; otherwise there is room
	}
	timedOut  struct{}
	leaseLost struct{}
	forgotten struct{}
	handBack  struct{}
	graceOver struct{}
)

const (
	progressEvery = 100 * time.Millisecond // published at most this often
	persistEvery  = time.Second            // and written to the store this often
)

var errTooLate = errors.New("the attempt has ended")

// Receive implements actor.Actor.
func (a *jobActor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		a.onStarted(c)
	case *progressed:
		a.onProgressed(c)
	case *publish:
		a.waiting = false
		a.publishProgress(c)
	case *keep:
		a.onKeep(c, m)
	case *finished:
		a.onFinished(c, m)
	case *committed:
		a.onCommitted(c, m.rev)
	case *refused:
		a.onRefused(c, m)
	case *settled:
		a.settled, a.told = true, true
		if a.askedLate != nil {
			a.app.cancelLeft(a.job.ID, *a.askedLate)
		}
		a.stopWhenDone(c)
	case *cancelAsked:
		a.onCancelAsked(c, m)
		if m.answer != nil && !a.lost {
			m.answer <- a.job
		}
	case *timedOut:
		a.end(c, ErrTimeout)
	case *leaseLost:
		a.onLeaseLost(c)
	case *forgotten:
		a.onForgotten()
	case *handBack:
		a.end(c, ErrDraining)
	case *abandon:
		a.end(c, ErrLeaseLost)
		c.Stop(c.Self())
	case *giveUp:
		a.onGiveUp(c)
	case *graceOver:
		a.onGraceOver(c)
	case *describe:
		m.answer(a)
	case *actor.Stopping:
		a.onStopping()
	}
}

func (a *jobActor) onStarted(c actor.Context) {
	now := time.Now()
	next, t, err := a.job.Apply(job.Claimed{Token: a.lease.Token, Node: a.lease.Node, Crashes: a.crashes}, now)
	switch {
	case errors.Is(err, job.ErrTerminal):
		a.leave(c, persistence.Ack, nil)
		return
	case err != nil: // the inbox was rolled back behind the row: give it the row's token to go on from
		a.app.log.Warn("claimed under a token that is not new", "job", a.job.ID, "error", err)
		a.rebase(c, a.job.Token)
		return
	}
	if a.job.Status.Waiting() {
		a.app.metrics.queueWait(a.job.Queue, now.Sub(a.job.RunAt))
	}
	if crashes := next.Crashes - a.job.Crashes; crashes > 0 {
		a.app.metrics.attemptLost(a.job, crashes)
	}
	before := a.job
	a.job = &next
	if next.Status.Terminal() {
		a.leave(c, verbFor(&next), t)
		return
	}
	kind, ok := a.app.kinds[next.Kind]
	if !ok { // a node with another build may have a handler: the job is left to that one, and nothing is recorded
		a.job = before
		a.park(c)
		return
	}
	if a.draining {
		a.step(c, job.Released{Reason: "its node drains"})
		return
	}
	a.write(c, t, 0)
	a.attempt = &attempt{app: a.app, self: c.Self(), intake: a.intake, token: a.lease.Token, id: a.job.ID}
	a.attempt.run(kind.handler, a.job)
}

// step applies an event that ends the claim and leaves.
func (a *jobActor) step(c actor.Context, e job.Event) {
	next, t, err := a.job.Apply(e, time.Now())
	if errors.Is(err, job.ErrLimit) {
		next, t, err = a.job.Apply(job.AttemptFailed{Failure: job.NewFailure(job.CodePermanent, err.Error()), Permanent: true}, time.Now())
	}
	if err != nil {
		panic(fmt.Sprintf("an outcome that the core refuses: %v", err))
	}
	a.job = &next
	a.leave(c, verbFor(&next), t)
}

// verbFor is what becomes of the lease of a job that was left in this status.
func verbFor(j *job.Job) persistence.Verb {
	switch j.Status {
	case job.Completed, job.Cancelled:
		return persistence.Ack
	case job.Failed:
		return persistence.Dead
	case job.Retrying, job.Scheduled:
		return persistence.Delay
	case job.Queued:
		return persistence.Return
	}
	panic("a job can't be left while " + j.Status.String())
}

func (a *jobActor) leave(c actor.Context, verb persistence.Verb, t *job.Transition) {
	a.leaving = true
	a.answerKeepers(errTooLate)
	if t == nil { // nothing to record: only the lease to settle
		a.app.settler.settle(&outgoing{job: a.job, settlement: &persistence.Settlement{Lease: a.lease, Verb: verb}, actor: c.Self()})
		return
	}
	a.app.metrics.left(a.job)
	a.write(c, t, verb)
}

// write journals the job as it is. A verb settles the lease once that is committed.
func (a *jobActor) write(c actor.Context, t *job.Transition, verb persistence.Verb) {
	w := &outgoing{job: a.job, actor: c.Self(), shown: t == nil}
	a.written = a.job.Rev
	if t != nil {
		a.changed = a.job.Rev
		w.history = []job.Transition{*t}
	}
	if verb != 0 {
		w.settlement = &persistence.Settlement{Lease: a.lease, Verb: verb, RunAt: a.job.RunAt}
	}
	a.app.journal.write(w)
}

func (a *jobActor) onProgressed(c actor.Context) {
	if a.leaving || a.lost {
		return
	}
	wait := a.app.progressPace(a.job) - time.Since(a.published)
	switch {
	case a.waiting:
	case wait > 0:
		a.waiting = true
		a.app.timers.SendOnce(wait, c.Self(), &publish{})
	default:
		a.publishProgress(c)
	}
}

// publishProgress shows the latest progress. While a transition is not committed yet, nothing that includes it may be shown.
func (a *jobActor) publishProgress(c actor.Context) {
	if a.leaving || a.lost || a.attempt == nil {
		return
	}
	if a.durable < a.changed {
		a.heldBack = true
		return
	}
	now := time.Now()
	latest, spoke := a.attempt.taken()
	if !spoke {
		return
	}
	next, _, err := a.job.Apply(job.Progressed{Progress: latest}, now)
	if err != nil {
		return // nothing new, or more changes than one claim can number
	}
	a.job, a.published = &next, now
	if now.Sub(a.persisted) >= persistEvery {
		a.persisted = now
		a.write(c, nil, 0)
	}
	a.app.show(a.job)
}

func (a *jobActor) onKeep(c actor.Context, m *keep) {
	if a.leaving || a.lost {
		m.reply <- errTooLate
		return
	}
	next, t, err := a.job.Apply(m.event, time.Now())
	if err != nil {
		m.reply <- err
		return
	}
	a.job = &next
	a.keepers = append(a.keepers, keeper{next.Rev, m.reply})
	a.write(c, t, 0)
}

func (a *jobActor) onFinished(c actor.Context, m *finished) {
	a.returned = true
	if a.leaving || a.lost {
		a.handBackGivenUp(c)
		a.stopWhenDone(c)
		return
	}
	if latest, spoke := a.attempt.taken(); spoke {
		if next, _, err := a.job.Apply(job.Progressed{Progress: latest}, time.Now()); err == nil {
			a.job = &next // what it said last
		}
	}
	a.step(c, a.outcome(m))
}

// stopWhenDone ends the actor once its lease is settled, its handler is back, or given up, and the journal has answered for all
// it wrote. As long as it lives no other attempt of the job begins on this node; and were it gone before the journal answered, a
// later claim under the same token (after a rollback of the inbox) would share the journal with it.
func (a *jobActor) stopWhenDone(c actor.Context) {
	if a.settled && (a.attempt == nil || a.returned || a.overdue) && (!a.lost || a.durable >= a.written) {
		c.Stop(c.Self())
	}
}

func (a *jobActor) outcome(m *finished) job.Event {
	if p, ok := errors.AsType[*panicError](m.err); ok {
		return job.AttemptFailed{Failure: job.NewFailure(job.CodePanic, p.Error()).WithStack(p.stack), Jitter: rand.Float64()}
	}
	switch {
	case m.err == nil:
	case errors.Is(a.cause, ErrDraining):
		return job.Released{Reason: "its node drains"}
	case errors.Is(a.cause, ErrTimeout):
		return a.timeout()
	}
	return job.Outcome(m.result, m.err, rand.Float64())
}

func (a *jobActor) timeout() job.Event {
	text := fmt.Sprintf("the attempt ran longer than %s", a.job.Policy.Timeout)
	return job.AttemptFailed{Failure: job.NewFailure(job.CodeTimeout, text), Jitter: rand.Float64()}
}

func (a *jobActor) onCommitted(c actor.Context, rev int64) {
	a.durable = max(a.durable, rev)
	kept := 0
	for _, k := range a.keepers {
		if k.rev <= rev {
			k.reply <- nil
			kept++
		}
	}
	a.keepers = a.keepers[kept:]
	if a.heldBack {
		a.heldBack = false
		a.onProgressed(c)
	}
	a.stopWhenDone(c)
}

// onRefused: the row is under a newer claim, or has ended. Nothing this actor has to say counts any more.
func (a *jobActor) onRefused(c actor.Context, m *refused) {
	current := m.current
	a.durable = max(a.durable, m.rev)
	a.app.metrics.refused.Inc()
	a.app.log.Warn("a write was refused: the job is no longer this claim's", "job", a.job.ID, "token", a.lease.Token, "current", current)
	again := a.lost
	a.lost = true
	a.end(c, ErrLeaseLost)
	a.answerKeepers(ErrLeaseLost)
	switch {
	case again: // it gave up before
		a.stopWhenDone(c)
	case current.Life > a.job.Life || current.Status.Terminal() && current.Life == a.job.Life:
		a.leave(c, persistence.Ack, nil)
	default:
		a.rebase(c, current.Token)
	}
}

// rebase gives up a lease that the inbox gave out under a token which the store has seen, and puts the job back with the
// store's token, so that the next claim's is newer. It does nothing if the lease is another's by now.
func (a *jobActor) rebase(c actor.Context, token int64) {
	a.leaving = true
	a.app.settler.settle(&outgoing{
		job: a.job, actor: c.Self(), rebase: token,
		settlement: &persistence.Settlement{Lease: a.lease, Verb: persistence.Ack},
	})
}

func (a *jobActor) onCancelAsked(c actor.Context, m *cancelAsked) {
	if a.leaving && a.job.Status != job.Cancelled && !a.settled {
		a.askedLate = &m.word
	}
	if a.leaving || a.lost {
		return
	}
	next, t, err := a.job.Apply(job.CancelRequested{By: m.word.By, Reason: m.word.Reason, At: m.word.At}, time.Now())
	if err != nil {
		return // asked before
	}
	a.job = &next
	a.write(c, t, 0)
	a.end(c, ErrCancelled)
}

func (a *jobActor) onLeaseLost(c actor.Context) {
	if a.leaving || a.lost {
		return
	}
	a.app.metrics.restarts.WithLabelValues("lease_lost").Inc()
	a.app.log.Warn("lost the lease of a running job", "job", a.job.ID, "token", a.lease.Token)
	a.lost = true
	a.answerKeepers(ErrLeaseLost)
	a.settled = true
	a.end(c, ErrLeaseLost)
	a.stopWhenDone(c)
}

// onForgotten: the inbox has lost its data. This claim still holds as far as the store knows, so the inbox is given it back.
func (a *jobActor) onForgotten() {
	if a.leaving || a.lost {
		return
	}
	entry, err := entryOf(a.job, a.lease.Token)
	if err != nil {
		a.app.log.Error("a job can't be given back to the inbox", "job", a.job.ID, "error", err)
		return
	}
	entry.Crashes = max(entry.Crashes, a.crashes)
	go a.app.restore(a.job.Queue, entry)
}

// end ends the handler's context, once, and begins the grace in which the handler must return.
func (a *jobActor) end(c actor.Context, cause error) {
	if a.attempt == nil || a.cause != nil || a.returned {
		return
	}
	a.cause = cause
	a.attempt.cancel(cause)
	grace := a.app.config.CancelGrace
	if errors.Is(cause, ErrDraining) || a.givenUp {
		grace = min(grace, drainGrace)
	}
	a.app.timers.SendOnce(grace, c.Self(), &graceOver{})
}

// drainGrace is how long a handler may take to return once a drain is out of time, or its node is cut off.
const drainGrace = 2 * time.Second

// onGraceOver: the handler ignores the end of its context. A goroutine can't be stopped, so the job goes on without it; its slot
// stays taken until it returns.
func (a *jobActor) onGraceOver(c actor.Context) {
	if a.returned {
		return
	}
	a.overdue = true
	a.app.metrics.abandoned.Inc()
	a.app.log.Error("a handler ignores the end of its context; the job goes on without it", "job", a.job.ID, "kind", a.job.Kind, "cause", a.cause)
	switch {
	case a.leaving, a.lost:
		a.handBackGivenUp(c)
		a.stopWhenDone(c)
	case errors.Is(a.cause, ErrDraining):
		a.step(c, job.Released{Reason: "its node drains"})
	case errors.Is(a.cause, ErrTimeout):
		a.step(c, a.timeout())
	default:
		a.step(c, job.AttemptFailed{Failure: job.NewFailure(job.CodeTimeout, "the handler ignores its cancellation")})
	}
}

func (a *jobActor) answerKeepers(err error) {
	for _, k := range a.keepers {
		k.reply <- err
	}
	a.keepers = nil
}

// onStopping must not panic: see safeStop.
func (a *jobActor) onStopping() {
	defer func() {
		if r := recover(); r != nil {
			a.app.log.Error("panic while a job actor stopped", "job", a.job.ID, "panic", r)
		}
	}()
	a.answerKeepers(errTooLate)
	if a.attempt == nil { // otherwise the handler frees its slot itself, whenever it returns
		a.intake.freed()
	} else if !a.returned {
		a.attempt.cancel(context.Canceled)
	}
	if !a.told {
		a.intake.gone(a.lease)
	}
}
