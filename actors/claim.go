package actors

import (
	"context"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

const claimTimeout = 5 * time.Second

// claim leases jobs and finds out what they are: a job that was never claimed before is what its envelope says, any other, and one that
// somebody asked to cancel, is what the store says. When the store can't say, the leases are kept, and asking goes on until it can.
func (a *App) claim(queue string, ask persistence.Ask, in intakeRef) *claimed {
	ctx, cancel := context.WithTimeout(a.background, claimTimeout)
	defer cancel()
	claims, err := a.config.Inbox.Claim(ctx, queue, a.config.Node, ask)
	if err != nil {
		return &claimed{err: err}
	}
	result := &claimed{asked: ask.Max, jobs: make([]claimedJob, 0, len(claims))}
	var again []persistence.Claim
	for _, cl := range claims {
		if form := job.FormOf(cl.Envelope); form > job.EnvelopeForm {
			a.parkForm(queue, cl, form)
			result.parked++
			continue
		}
		if cl.Token > 1 || cl.CancelRequested {
			again = append(again, cl)
			continue
		}
		j, err := job.DecodeEnvelope(cl.Envelope)
		if err != nil {
			a.log.Error("an envelope can't be read; the store is asked what the job is", "job", cl.ID, "error", err)
			again = append(again, cl)
			continue
		}
		result.jobs = append(result.jobs, a.claimedJob(&j, cl, in))
	}
	if result.unread = len(again); result.unread > 0 {
		a.loops.Go(func() { a.startAgain(queue, again, in) })
	}
	return result
}

// parkForm leaves a job whose envelope is of a newer form to the nodes that read it. What it says this node can't tell, and so
// does not touch.
func (a *App) parkForm(queue string, cl persistence.Claim, form int) {
	a.metrics.parkedJob(queue)
	a.settler.settle(&outgoing{job: &job.Job{ID: cl.ID, Queue: queue}, settlement: &persistence.Settlement{
		Lease: persistence.Lease{ID: cl.ID, Token: cl.Token, Node: a.config.Node}, Verb: persistence.Park, For: formName(form),
	}})
}

// formName is under what jobs of a form of envelope are parked.
func formName(form int) string { return "form-" + strconv.Itoa(form) }

// canTake is under what parked jobs this node takes: its kinds, and the forms of envelopes that some older node may not read.
func (a *App) canTake() []string {
	can := a.Kinds()
	for form := 2; form <= job.EnvelopeForm; form++ {
		can = append(can, formName(form))
	}
	return can
}

func (a *App) claimedJob(j *job.Job, cl persistence.Claim, in intakeRef) claimedJob {
	crashes := cl.Crashes
	if cl.Life != j.Life { // the row was redriven, and its new entry is on the way: what the old one counted is over
		crashes = 0
	}
	if cl.CancelRequested && j.Cancel == nil && cl.Life == j.Life { // the row should tell who asked
		j.Cancel = job.NewCancel("", "", time.Now())
	}
	return claimedJob{
		job: j, crashes: crashes, intake: in,
		lease: persistence.Lease{ID: cl.ID, Token: cl.Token, Node: a.config.Node},
	}
}

// startAgain starts jobs that were claimed before, once the store has said what became of them. It gives up when the leases have
// run out meanwhile.
func (a *App) startAgain(queue string, claims []persistence.Claim, in intakeRef) {
	ids := make([]job.ID, len(claims))
	byID := make(map[job.ID]persistence.Claim, len(claims))
	for i, cl := range claims {
		ids[i], byID[cl.ID] = cl.ID, cl
	}
	deadline := time.Now().Add(a.config.Lease * 2 / 3)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ctx, cancel := context.WithDeadline(a.background, deadline)
		records, err := a.config.Store.Get(ctx, ids)
		cancel()
		if err == nil {
			a.startFound(records, byID, in, len(claims))
			return
		}
		if a.background.Err() != nil || time.Now().Add(pause).After(deadline) {
			a.handBackUnread(queue, claims, err)
			in.system.Root.Send(in.pid, &adopted{&claimed{}, len(claims)})
			return
		}
		time.Sleep(pause)
	}
}

func (a *App) startFound(records []persistence.Record, byID map[job.ID]persistence.Claim, in intakeRef, of int) {
	found := &claimed{}
	for i := range records {
		r := &records[i]
		found.jobs = append(found.jobs, a.claimedJob(&r.Job, byID[r.Job.ID], in))
		delete(byID, r.Job.ID)
	}
	for _, cl := range byID { // claimed before, and yet without a row: its first write was lost with its node
		if j, err := job.DecodeEnvelope(cl.Envelope); err == nil {
			found.jobs = append(found.jobs, a.claimedJob(&j, cl, in))
		}
	}
	in.system.Root.Send(in.pid, &adopted{found, of})
}

// handBackUnread delays jobs of which the store could not say what became of them: without their checkpoint they must not run.
func (a *App) handBackUnread(queue string, claims []persistence.Claim, cause error) {
	a.log.Warn("jobs wait for the store to say what became of them", "queue", queue, "jobs", len(claims), "error", cause)
	settlements := make([]persistence.Settlement, len(claims))
	for i, cl := range claims {
		settlements[i] = persistence.Settlement{
			Lease: persistence.Lease{ID: cl.ID, Token: cl.Token, Node: a.config.Node}, Verb: persistence.Delay, RunAt: time.Now().Add(2 * time.Second),
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if _, err := a.config.Inbox.Settle(ctx, queue, settlements); err != nil {
		a.log.Warn("their leases are left to run out", "queue", queue, "error", err)
	}
}
