package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/persistence"
)

// What a job actor does with a job that is better off on another node. Nothing of it is written.

// park leaves the job to the nodes that have a handler for its kind.
func (a *jobActor) park(c actor.Context) {
	a.leaving = true
	a.app.metrics.parkedJob(a.job.Queue)
	a.app.settler.settle(&outgoing{
		job: a.job, actor: c.Self(), settlement: &persistence.Settlement{Lease: a.lease, Verb: persistence.Park, For: a.job.Kind},
	})
}

// onGiveUp: this node can't record what comes of the attempt, and others could. The job is handed back as the row has it, which spends
// nothing, once the handler has returned or its grace is over.
func (a *jobActor) onGiveUp(c actor.Context) {
	if a.leaving || a.lost {
		return
	}
	a.app.metrics.restarts.WithLabelValues("lease_lost").Inc()
	a.lost, a.givenUp = true, true
	a.answerKeepers(ErrLeaseLost)
	a.end(c, ErrLeaseLost)
	if a.attempt == nil || a.returned {
		a.handBackGivenUp(c)
	}
}

func (a *jobActor) handBackGivenUp(c actor.Context) {
	if a.givenUp && !a.leaving {
		a.leave(c, persistence.Return, nil)
	}
}
