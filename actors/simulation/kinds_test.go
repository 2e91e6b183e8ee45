package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// kind is a way for jobs to go.
type kind struct {
	queue string
	on    func(slot int) bool // which nodes have the handler
	run   func(ctx context.Context, n *node, j *actors.Job, o order, r *run) error
}

// order is a job's payload: what its handler is to do.
type order struct {
	N     int           `json:"n"`     // the client's number of it
	Takes time.Duration `json:"takes"` // how long
	Times int           `json:"times"` // how often it fails, panics or snoozes before it succeeds
}

func everywhere(int) bool  { return true }
func somewhere(s int) bool { return s%4 == 3 }
func unwatched(s int) bool { return s >= protected }

// kinds are all there are.
var kinds map[string]kind

func init() { // one of them starts a node, which has all kinds
	kinds = map[string]kind{
		"quick":    {queueMain, everywhere, runQuick},
		"safe":     {queueSafe, everywhere, runQuick},
		"limited":  {queueLimited, everywhere, runQuick},
		"rare":     {queueMain, somewhere, runQuick},
		"steps":    {queueMain, everywhere, runSteps},
		"flaky":    {queueMain, everywhere, runFlaky},
		"hopeless": {queueMain, everywhere, runHopeless},
		"panic":    {queueSafe, everywhere, runPanic},
		"snooze":   {queueMain, everywhere, runSnooze},
		"stubborn": {queueMain, everywhere, runStubborn},
		"poison":   {queueMain, unwatched, runPoison},
	}
}

// handler is the kind's handler on this node. It keeps the ledger.
func (n *node) handler(name string) actors.Handler {
	k := kinds[name]
	return func(ctx context.Context, j *actors.Job) error {
		var o order
		if err := j.Bind(&o); err != nil {
			return err
		}
		r := n.cluster.ledger.began(n, j, o.N)
		stop := context.AfterFunc(ctx, func() { n.cluster.ledger.told(r, context.Cause(ctx)) })
		outcome := outcomePanic
		defer func() {
			stop()
			n.cluster.ledger.ended(r, outcome)
		}()
		err := k.run(ctx, n, j, o, r)
		outcome = outcomeOf(err)
		return err
	}
}

// errPlanned is a failure that the order asked for.
var errPlanned = errors.New("as ordered")

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answer is the result of a job that succeeded.
type answer struct {
	N     int   `json:"n"`
	Token int64 `json:"token"`
}

func runQuick(ctx context.Context, _ *node, j *actors.Job, o order, _ *run) error {
	if err := wait(ctx, o.Takes); err != nil {
		return err
	}
	return j.Result(answer{o.N, j.Token()})
}

// runSteps leaves a checkpoint after each of ten steps.
func runSteps(ctx context.Context, n *node, j *actors.Job, o order, r *run) error {
	step := 0
	if _, err := j.Restore(&step); err != nil {
		return err
	}
	n.cluster.ledger.restored(r, step)
	for ; step < 10; step++ {
		j.Progress(job.Progress{Percent: float64(10 * step)})
		if err := wait(ctx, o.Takes/10); err != nil {
			return err
		}
		if err := j.Checkpoint(ctx, step+1); err != nil {
			return err
		}
		n.cluster.ledger.kept(r, step+1)
	}
	return j.Result(answer{o.N, j.Token()})
}

func runFlaky(ctx context.Context, n *node, j *actors.Job, o order, r *run) error {
	if j.Attempt() <= o.Times {
		return fmt.Errorf("attempt %d: %w", j.Attempt(), errPlanned)
	}
	return runQuick(ctx, n, j, o, r)
}

func runHopeless(ctx context.Context, n *node, j *actors.Job, o order, r *run) error {
	if j.Life() > 1 {
		return runQuick(ctx, n, j, o, r)
	}
	return errPlanned
}

func runPanic(ctx context.Context, n *node, j *actors.Job, o order, r *run) error {
	if j.Attempt() <= o.Times {
		panic("as ordered")
	}
	return runQuick(ctx, n, j, o, r)
}

func runSnooze(ctx context.Context, n *node, j *actors.Job, o order, r *run) error {
	if n.cluster.ledger.snoozes(o.N) < o.Times {
		return job.Snooze(2 * time.Second)
	}
	return runQuick(ctx, n, j, o, r)
}

// runStubborn ignores the end of its context.
func runStubborn(_ context.Context, _ *node, j *actors.Job, o order, _ *run) error {
	time.Sleep(o.Takes)
	return j.Result(answer{o.N, j.Token()})
}

// runPoison kills its node.
func runPoison(ctx context.Context, n *node, _ *actors.Job, _ order, _ *run) error {
	if err := wait(ctx, 200*time.Millisecond); err != nil {
		return err
	}
	if n.cluster.crash(n) {
		n.cluster.ledger.count("poison")
		n.cluster.ends.Go(func() {
			time.Sleep(2 * time.Second)
			n.cluster.start(n.slot)
		})
	}
	<-ctx.Done()
	return ctx.Err()
}
