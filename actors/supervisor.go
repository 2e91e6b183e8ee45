package actors

import (
	"context"
	"runtime/debug"

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
//	drain       App              begin draining              answer the newer one only
//	hurry       App              tell children to hand back  the same
//	Terminated  a child          tell its intake             the same, and answer drain when none is left
type supervisorRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

// start spawns job actors for claimed jobs.
func (r supervisorRef) start(jobs []claimedJob) { r.system.Root.Send(r.pid, &start{jobs}) }

// child addresses the actor of a job, whether it lives or not.
func (r supervisorRef) child(id job.ID) *actor.PID {
	return r.system.NewLocalPID(r.pid.Id + "/" + id.String())
}

// cancel makes the actor of a job, if it lives here, look at a request to cancel.
func (r supervisorRef) cancel(id job.ID) {
	r.system.Root.Send(r.child(id), &cancelAsked{by: "request"})
}

// drain waits until no job actor is left. When the context ends first, those that are left hand their jobs back; drain
// returns the context's error then, after they have.
func (r supervisorRef) drain(ctx context.Context) error {
	done := make(chan struct{})
	r.system.Root.Send(r.pid, &drain{done})
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	r.system.Root.Send(r.pid, &hurry{})
	<-done
	return context.Cause(ctx)
}

// abandon ends the contexts of all handlers at once.
func (r supervisorRef) abandon() { r.system.Root.Send(r.pid, &abandon{}) }

type (
	start struct{ jobs []claimedJob }

	drain   struct{ done chan struct{} }
	hurry   struct{}
	abandon struct{}
)

// claimedJob is a claim on its way to its actor.
type claimedJob struct {
	job      job.Job // as the store or the envelope has it, before the claim
	envelope []byte
	lease    persistence.Lease
	crashes  int
	cancelBy string // somebody has asked to cancel it
	intake   intakeRef
}

type supervisor struct {
	app      *App
	props    *actor.Props
	children map[string]claimedChild
	draining chan struct{} // closed when the last child is gone; nil while open
}

type claimedChild struct {
	pid    *actor.PID
	id     job.ID
	intake intakeRef
}

func spawnSupervisor(a *App) (supervisorRef, error) {
	s := &supervisor{app: a, children: map[string]claimedChild{}}
	s.props = actor.PropsFromProducer(func() actor.Actor { return &jobActor{app: a} }, actor.WithReceiverMiddleware(safeStop(a.log)))
	pid, err := spawn(a.system, "supervisor", s, actor.WithSupervisor(stopChild{a}))
	return supervisorRef{a.system, pid}, err
}

// Receive implements actor.Actor.
func (s *supervisor) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *start:
		s.onStart(c, m)
	case *drain:
		s.draining = m.done
		s.checkDrained()
	case *hurry:
		s.tellAll(c, &handBack{})
	case *abandon:
		s.tellAll(c, &abandon{})
	case *actor.Terminated:
		s.onTerminated(m)
	}
}

func (s *supervisor) onStart(c actor.Context, m *start) {
	for i := range m.jobs {
		claimed := &m.jobs[i]
		name := claimed.lease.ID.String()
		pid, err := c.SpawnNamed(s.props, name)
		if err != nil {
			// The job's actor still lives: it lost its lease, the job was claimed again, and here. The old attempt must end
			// before a new one begins, so the new lease is left to run out; it is not renewed.
			s.app.log.Warn("claimed a job whose actor still lives", "job", name, "error", err)
			if old, ok := s.children[name]; ok {
				c.Send(old.pid, &leaseLost{})
			}
			claimed.intake.gone(claimed.lease)
			continue
		}
		s.children[name] = claimedChild{pid, claimed.lease.ID, claimed.intake}
		s.app.metrics.actors.Inc()
		c.Send(pid, &begin{*claimed, s.draining != nil})
	}
}

func (s *supervisor) tellAll(c actor.Context, message any) {
	for _, child := range s.children {
		c.Send(child.pid, message)
	}
}

func (s *supervisor) onTerminated(m *actor.Terminated) {
	name := jobName(m.Who)
	if _, ok := s.children[name]; !ok {
		return
	}
	delete(s.children, name)
	s.app.metrics.actors.Dec()
	s.checkDrained()
}

func (s *supervisor) checkDrained() {
	if s.draining != nil && len(s.children) == 0 {
		close(s.draining)
		s.draining = make(chan struct{}) // a later drain brings its own
	}
}

// jobName is the last part of a job actor's name: the job's id.
func jobName(pid *actor.PID) string {
	if len(pid.Id) < 36 {
		return ""
	}
	return pid.Id[len(pid.Id)-36:]
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
