package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// timekeeperRef is the timekeeper: everything periodic. Each round moves due jobs into their queues and reaps leases that have
// ended; now and then it reads the queues' settings, measures their depth, refills the inbox from the store and forgets
// what is past its retention. Each step is atomic where it counts, so that two nodes at once are one too many at worst: whose
// duty it is does it each time, and all others now and then (see pace).
//
// Supervision: top level, restarted for ever with its state.
//
//	message   from                   what it does
//	tick      timer, itself          begin a round, unless one is under way
//	rounded   the round's goroutine  look when the next job is due, judge the inbox's health
//	refill    App                    compare all live rows with the inbox soon
//	refilled  that goroutine         go on where it stopped
//	fresh     store watch            refill one job now
//	reread    bus                    read the queues' settings now
type timekeeperRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

func (r timekeeperRef) refill()          { r.system.Root.Send(r.pid, &refillAll{}) }
func (r timekeeperRef) fresh(id job.ID)  { r.system.Root.Send(r.pid, &fresh{id}) }
func (r timekeeperRef) settingsChanged() { r.system.Root.Send(r.pid, &reread{}) }

type (
	tick    struct{}
	rounded struct {
		next       time.Time // when the next delayed job is due; zero if none is
		generation string
		err        error
	}
	refillAll struct{}
	refilled  struct {
		next job.ID // where to go on; zero at the end
		err  error
	}
	fresh  struct{ id job.ID }
	reread struct{}
)

const (
	roundEvery    = 250 * time.Millisecond
	settingsEvery = 2 * time.Second
	depthEvery    = 2 * time.Second
	walkEvery     = 2 * time.Second // one step of the reconciler's endless walk
	pruneEvery    = 10 * time.Minute
	roundTimeout  = 5 * time.Second
	roundBatch    = 1000
)

type timekeeper struct {
	app     *App
	rounds  bool // one is under way
	ticks   func()
	nextDue func() // cancels the tick for the next due job

	generation string
	outage     time.Time // when the inbox last failed to answer
	walk       walk

	looked                       map[string]time.Time // queue -> when its due jobs and ended leases were last looked for
	settingsAt, depthAt, pruneAt time.Time
}

func spawnTimekeeper(a *App) (timekeeperRef, error) {
	tk := &timekeeper{app: a, walk: walk{app: a}, looked: map[string]time.Time{}}
	tk.walk.again() // the inbox may have lost something while nobody looked
	pid, err := a.spawn("timekeeper", tk)
	if err != nil {
		return timekeeperRef{}, err
	}
	tk.ticks = a.timers.SendRepeatedly(0, roundEvery, pid, &tick{})
	return timekeeperRef{a.system, pid}, nil
}

// Receive implements actor.Actor.
func (tk *timekeeper) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *tick:
		tk.onTick(c)
	case *rounded:
		tk.onRounded(c, m)
	case *refillAll:
		tk.walk.insist = true
		tk.walk.again()
	case *refilled:
		tk.walk.onStep(m)
	case *fresh:
		go tk.app.refillOne(m.id)
	case *reread:
		tk.settingsAt = time.Time{}
	case *actor.Stopping:
		tk.ticks()
	}
}

func (tk *timekeeper) onTick(c actor.Context) {
	now := time.Now()
	if !tk.rounds {
		tk.rounds = true
		reap := now.Sub(tk.outage) > tk.app.config.Lease // after an outage, holders renew first
		turns := tk.turns(now)
		tk.start(c, func(ctx context.Context) any { return tk.app.round(ctx, reap, turns) })
	}
	tk.walk.step(now, tk.app.pace(dutyWalk), func(f func(ctx context.Context) any) { tk.start(c, f) })
	if now.Sub(tk.settingsAt) >= settingsEvery {
		tk.settingsAt = now
		tk.start(c, func(ctx context.Context) any { return tk.app.readSettings(ctx) })
	}
	if now.Sub(tk.depthAt) >= depthEvery {
		tk.depthAt = now
		tk.start(c, func(ctx context.Context) any { tk.app.measureDepths(ctx); return nil })
	}
	if tk.app.config.Retention > 0 && now.Sub(tk.pruneAt) >= pruneEvery*time.Duration(tk.app.pace(dutyPrune)) {
		tk.pruneAt = now
		tk.start(c, func(ctx context.Context) any { return tk.app.prune(ctx, now.Add(-tk.app.config.Retention)) })
	}
}

// turn is a queue to be looked at. Due: this node moves its due jobs as soon as they are.
type turn struct {
	queue string
	due   bool
}

// turns are the queues to look at now.
func (tk *timekeeper) turns(now time.Time) []turn {
	turns := make([]turn, 0, len(tk.app.queues))
	for queue := range tk.app.queues {
		pace := tk.app.pace(dutyQueue + queue)
		if pace > 1 && now.Sub(tk.looked[queue]) < roundEvery*time.Duration(pace) {
			continue
		}
		tk.looked[queue] = now
		turns = append(turns, turn{queue, pace == 1})
	}
	return turns
}

// start runs f beside the mailbox; what it returns comes back as a message, an error only as a line in the log.
func (tk *timekeeper) start(c actor.Context, f func(ctx context.Context) any) {
	root, self := c.ActorSystem().Root, c.Self()
	tk.app.loops.Go(func() {
		ctx, cancel := context.WithTimeout(tk.app.background, roundTimeout)
		defer cancel()
		switch result := f(ctx).(type) {
		case nil:
		case error:
			if tk.app.background.Err() == nil {
				tk.app.log.Warn("periodic work failed; it is done again later", "error", result)
			}
		default:
			root.Send(self, result)
		}
	})
}

func (tk *timekeeper) onRounded(c actor.Context, m *rounded) {
	tk.rounds = false
	if m.err != nil {
		tk.outage = time.Now()
		tk.walk.again() // what was accepted without the inbox must get there
		return
	}
	if tk.generation != "" && m.generation != tk.generation {
		tk.app.log.Error("the inbox has lost its data; it is refilled from the store", "was", tk.generation, "is", m.generation)
		tk.walk.again()
		for _, intake := range tk.app.intakes {
			intake.renew() // those who run a job give it back first
		}
	}
	tk.generation = m.generation
	if tk.nextDue != nil {
		tk.nextDue()
		tk.nextDue = nil
	}
	if wait := time.Until(m.next); !m.next.IsZero() && wait < roundEvery {
		tk.nextDue = tk.app.timers.SendOnce(max(wait, time.Millisecond), c.Self(), &tick{})
	}
}

// round moves what is due and, if it may, reaps, in every queue whose turn it is.
func (a *App) round(ctx context.Context, reap bool, turns []turn) (result *rounded) {
	result = &rounded{}
	began := time.Now()
	defer func() { a.inboxHealth.note(began, result.err) }()
	for _, t := range turns {
		queue := t.queue
		moved, next, err := a.config.Inbox.Due(ctx, queue, roundBatch)
		if err == nil && moved == roundBatch {
			next = time.Now()
		}
		if t.due && !next.IsZero() && (result.next.IsZero() || next.Before(result.next)) {
			result.next = next
		}
		var reaped []job.ID
		if err == nil && reap {
			reaped, err = a.config.Inbox.Reap(ctx, queue, roundBatch)
		}
		if len(reaped) > 0 {
			a.log.Warn("leases of dead or lost holders have ended; their jobs wait again", "queue", queue, "jobs", len(reaped))
			a.metrics.reaped(queue, len(reaped))
		}
		if (moved > 0 || len(reaped) > 0) && a.open() {
			a.intakes[queue].wake()
		}
		result.err = errors.Join(result.err, err)
	}
	if result.err == nil {
		result.generation, result.err = a.config.Inbox.Generation(ctx)
	}
	return result
}

func (a *App) measureDepths(ctx context.Context) {
	for queue := range a.queues {
		began := time.Now()
		depth, err := a.config.Inbox.Depth(ctx, queue)
		a.metrics.depth(queue, depth, time.Since(began), err)
	}
}

// prune removes jobs that ended before the given time, as far as one round's time allows.
func (a *App) prune(ctx context.Context, before time.Time) error {
	for {
		ids, err := a.config.Store.Prune(ctx, before, roundBatch)
		if err != nil {
			return err
		}
		if err := a.config.Artifacts.Delete(ctx, ids); err != nil {
			return err
		}
		a.broadcaster.purged(ids)
		if len(ids) == 0 { // fewer than asked for are what could be removed in time
			return nil
		}
	}
}
