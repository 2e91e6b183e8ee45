package actors

import (
	"context"
	"encoding/json"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// The ways in which the holder of a job hears that somebody asked to cancel it: from this node's App, from another node through remoting, over
// the bus, or from the inbox with a renewal. They may all come; the first counts.

// cancelOf has the actor of a job, if it lives here, look at a request to cancel, and answer with the job as it is then; nil if it does
// not live here.
type cancelOf struct {
	id     job.ID
	word   job.Cancel
	answer chan *job.Job // buffered
}

// take implements question.
func (m *cancelOf) take(c actor.Context, s *supervisor) {
	child, ok := s.children[m.id]
	if !ok {
		m.answer <- nil
		return
	}
	c.Send(child.pid, &cancelAsked{m.word, m.answer})
}

// cancelAnswer bounds how long a job actor may take to look at a request.
const cancelAnswer = time.Second

// askCancel makes the actor of a job look at a request to cancel, and answers the job as it is then: nil if it does not live here, or does not
// answer.
func (r supervisorRef) askCancel(ctx context.Context, id job.ID, word job.Cancel) *job.Job {
	m := &cancelOf{id, word, make(chan *job.Job, 1)}
	r.system.Root.Send(r.pid, m)
	limit := time.NewTimer(cancelAnswer)
	defer limit.Stop()
	select {
	case now := <-m.answer:
		return now
	case <-limit.C:
	case <-ctx.Done():
	}
	return nil
}

// signalCancel says over the bus that word was left for whoever runs the job.
func (a *App) signalCancel(ctx context.Context, j *job.Job) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	data, err := json.Marshal(j.Cancel)
	if err == nil {
		err = a.config.Bus.Signal(ctx, persistence.Signal{Topic: persistence.SignalCancel, ID: j.ID, Queue: j.Queue, By: j.Cancel.By, Data: data})
	}
	if err != nil {
		a.log.Warn("a request to cancel waits for the holder's next renewal", "job", j.ID, "error", err)
	}
}

// heardCancel takes what another node signalled.
func (a *App) heardCancel(s *persistence.Signal) {
	word := job.Cancel{By: s.By, At: time.Now()}
	if len(s.Data) > 0 && json.Unmarshal(s.Data, &word) != nil {
		return
	}
	a.supervisor.cancel(s.ID, word)
}

// renewedCancelled: the inbox has word for jobs that run here. Their rows say who asked, and why; where they can't be read, nobody is named.
func (a *App) renewedCancelled(ids []job.ID) {
	if len(ids) == 0 {
		return
	}
	a.loops.Go(func() {
		ctx, cancel := context.WithTimeout(a.background, claimTimeout)
		defer cancel()
		words := map[job.ID]job.Cancel{}
		records, err := a.config.Store.Get(ctx, ids)
		if err != nil {
			a.log.Warn("who asked to cancel jobs can't be read; they are cancelled all the same", "jobs", len(ids), "error", err)
		}
		for i := range records {
			if j := &records[i].Job; j.Cancel != nil {
				words[j.ID] = *j.Cancel
			}
		}
		for _, id := range ids {
			word, ok := words[id]
			if !ok {
				word.At = time.Now()
			}
			a.supervisor.cancel(id, word)
		}
	})
}

// cancelLeft sees to a job whose actor heard of a request after it had said its last: it may wait for another attempt now, or its end is to be
// shown again.
func (a *App) cancelLeft(id job.ID, word job.Cancel) {
	a.loops.Go(func() {
		ctx, cancel := context.WithTimeout(a.background, claimTimeout)
		defer cancel()
		if j, err := a.Cancel(ctx, id, word.By, word.Reason); err != nil {
			a.log.Debug("a request to cancel came too late", "job", id, "status", j.Status, "error", err)
		}
	})
}
