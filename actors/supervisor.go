package actors

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// supervisorRef is the supervisor: the only spawner of job actors, one for each claimed job.
//
// Supervision: top level, restarted for ever with its state. Its children are never restarted: a job actor that panics (our
// bug, since handlers' panics are caught in the attempt) is stopped, its lease is left to run out, and the inbox counts a crash.
//
//	message     from             open                        draining
//	start       intake           spawn a child for each job  hand the job back
//	tell        App, intake      pass on to the child        the same
//	drain       App              begin draining              -
//	hurry       App              tell children to hand back  the same
//	abandon     App              tell children to end        the same
//	giveUp      membership       tell children to give up    the same
//	Terminated  a child          strike it out               the same, and answer drain when none is left
//	question    App              answer                      the same
type supervisorRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

// start spawns job actors for claimed jobs.
func (r supervisorRef) start(jobs []claimedJob) { r.system.Root.Send(r.pid, &start{jobs}) }

// tell passes a message on to the actor of a job, if it lives here. Nobody but the supervisor may address it by its name: the library
// makes a name known before the actor's mailbox is ready, and a message in between would crash its sender.
func (r supervisorRef) tell(id job.ID, message any) { r.system.Root.Send(r.pid, &tell{id, message}) }

// cancel makes the actor of a job, if it lives here, look at a request to cancel.
func (r supervisorRef) cancel(id job.ID, word job.Cancel) { r.tell(id, &cancelAsked{word: word}) }

// drain waits until no job actor is left. When the context ends first, those that are left hand their jobs back; drain
// returns the context's error then, after they have, or after the patience: while store and inbox are down nothing can be handed
// back, and the jobs are left to their leases.
func (r supervisorRef) drain(ctx context.Context, patience time.Duration) error {
	done := make(chan struct{})
	r.system.Root.Send(r.pid, &drain{done})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	r.system.Root.Send(r.pid, &hurry{})
	select {
	case <-done:
		return context.Cause(ctx)
	case <-time.After(patience):
		return fmt.Errorf("%w: %w", errJobsLeft, context.Cause(ctx))
	}
}

// errJobsLeft: a drained node could not hand back all it held.
var errJobsLeft = errors.New("some jobs could not be handed back, and are left to their leases")

// giveUp has all job actors that still run a handler hand their jobs back unrecorded.
func (r supervisorRef) giveUp() { r.system.Root.Send(r.pid, &giveUp{}) }

// abandon ends the contexts of all handlers at once.
func (r supervisorRef) abandon() { r.system.Root.Send(r.pid, &abandon{}) }

type (
	start struct{ jobs []claimedJob }

	tell struct {
		id      job.ID
		message any
	}
	drain   struct{ done chan struct{} }
	hurry   struct{}
	abandon struct{}
	giveUp  struct{}
)

// claimedJob is a claim on its way to its actor.
type claimedJob struct {
	job     *job.Job // as the store or the envelope has it, before the claim
	lease   persistence.Lease
	crashes int
	intake  intakeRef
}

type supervisor struct {
	app      *App
	props    *actor.Props
	next     claimedJob // the birth gift of the child being spawned
	born     uint64     // children so far
	children map[job.ID]claimedChild
	draining chan struct{} // closed when the last child is gone; nil while open
}

type claimedChild struct {
	pid    *actor.PID
	intake intakeRef
}

func spawnSupervisor(a *App) (supervisorRef, error) {
	s := &supervisor{app: a, children: map[job.ID]claimedChild{}}
	s.props = actor.PropsFromProducer(func() actor.Actor { return newJobActor(a, s.next, s.draining != nil) },
		actor.WithDispatcher(a.mailboxes)) // no middleware: it would cost each job a context of its own
	pid, err := a.spawn("supervisor", s, actor.WithSupervisor(stopChild{a}))
	return supervisorRef{a.system, pid}, err
}

// Receive implements actor.Actor.
func (s *supervisor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *start:
		s.onStart(c, m)
	case *tell:
		if child, ok := s.children[m.id]; ok {
			c.Send(child.pid, m.message)
		}
	case *drain:
		s.draining = m.done
		s.checkDrained()
	case *hurry:
		s.tellAll(c, &handBack{})
	case *abandon:
		s.tellAll(c, &abandon{})
	case *giveUp:
		s.tellAll(c, m)
	case *actor.Terminated:
		s.onTerminated(m)
	case question:
		m.take(c, s)
	}
}

func (s *supervisor) onStart(c actor.Context, m *start) {
	for i := range m.jobs {
		s.next = m.jobs[i]
		id := s.next.lease.ID
		if old, ok := s.children[id]; ok {
			// The job's actor still lives: it lost its lease, the job was claimed again, and here. The old attempt must end
			// before a new one begins.
			s.app.log.Warn("claimed a job whose actor still lives; it is put off", "job", id)
			c.Send(old.pid, &leaseLost{})
			s.putOff()
			continue
		}
		// The name is this actor's alone: what is late for an earlier actor of the job (a timer, a handler that ignored the end of its context)
		// must not reach this one.
		s.born++
		pid, err := c.SpawnNamed(s.props, id.String()+"."+strconv.FormatUint(s.born, 36))
		if err != nil {
			s.app.log.Warn("a job's actor can't be spawned; the job is put off", "job", id, "error", err)
			s.putOff()
			continue
		}
		s.children[id] = claimedChild{pid, s.next.intake}
	}
	s.next = claimedJob{}
	s.app.metrics.actors.Set(float64(len(s.children)))
}

// putOff hands back a job that can't begin here now, to be claimed a little later. It spends neither an attempt nor a crash.
func (s *supervisor) putOff() {
	s.next.intake.freed()
	s.app.settler.settle(&outgoing{job: s.next.job, settlement: &persistence.Settlement{
		Lease: s.next.lease, Verb: persistence.Delay, RunAt: time.Now().Add(time.Second),
	}})
}

func (s *supervisor) tellAll(c actor.Context, message any) {
	for _, child := range s.children {
		c.Send(child.pid, message)
	}
}

func (s *supervisor) onTerminated(m *actor.Terminated) {
	name := m.Who.Id[strings.LastIndexByte(m.Who.Id, '/')+1:]
	text, _, _ := strings.Cut(name, ".")
	id, err := job.ParseID(text)
	if err != nil {
		return
	}
	delete(s.children, id)
	s.app.metrics.actors.Set(float64(len(s.children)))
	s.checkDrained()
}

func (s *supervisor) checkDrained() {
	if s.draining != nil && len(s.children) == 0 {
		close(s.draining)
		s.draining = make(chan struct{}) // a later drain brings its own
	}
}

// stopChild is the strategy for job actors: stop, never restart. What the actor knew may be what made it panic.
type stopChild struct{ app *App }

// HandleFailure implements actor.SupervisorStrategy.
func (s stopChild) HandleFailure(_ *actor.ActorSystem, sup actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	s.app.log.Error("a job actor panicked and was stopped; its job is adopted when its lease ends",
		"actor", child.Id, "panic", reason, "stack", string(debug.Stack()))
	s.app.metrics.restarts.WithLabelValues("panic").Inc()
	sup.StopChildren(child)
}
