package main

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/persistence"
)

type benchDrainCmd struct {
	benching
	Jobs    int `help:"Jobs in the backlog." default:"200000"`
	Payload int `help:"Bytes of payload." default:"150"`
	Nodes   int `help:"Nodes, each a process, that share the servers and the backlog, compared with one; 0 measures one in this process." default:"0" placeholder:"N"`

	turns int // of comparisons
}

// Run measures.
func (c *benchDrainCmd) Run(ctx context.Context, o output) error {
	if c.Nodes > 0 {
		return c.rounds(ctx, o, c.comparison(), c.compare)
	}
	return c.rounds(ctx, o, []string{
		"jobs/s", "enqueue jobs/s", "rows/job", "jobs/commit", "CPU us/job, self", "CPU us/job, redis", "CPU us/job, postgres", "peak memory MB",
	}, c.round)
}

func (c *benchDrainCmd) round(ctx context.Context) (figures, error) {
	var handled atomic.Int64
	r, err := c.rig(ctx, func(context.Context, *actors.Job) error { handled.Add(1); return nil })
	if err != nil {
		return nil, err
	}
	defer r.clean()
	pause := func(paused bool) error {
		_, err := r.app.SetQueue(ctx, "default", func(s *persistence.QueueSettings) { s.Paused = paused })
		return err
	}
	if err := pause(true); err != nil {
		return nil, err
	}
	payload := benchPayload(c.Payload)
	began := time.Now()
	if err := r.load(ctx, c.Jobs, func(int) []byte { return payload }); err != nil {
		return nil, err
	}
	enqueued := time.Since(began)
	settled := func() (bool, error) { return r.sum("troupe_write_through_batch_jobs") >= float64(c.Jobs), nil }
	if err := until(ctx, 25*time.Millisecond, settled); err != nil {
		return nil, err
	}
	stop, err := c.profile()
	if err != nil {
		return nil, err
	}
	defer stop()
	rows, commits, cpu := r.sum("troupe_write_through_batch_jobs"), r.count("troupe_write_through_batch_jobs"), r.meter.read()
	began = time.Now()
	if err := pause(false); err != nil {
		return nil, err
	}
	finished := func() (bool, error) {
		if handled.Load() < int64(c.Jobs) {
			return false, nil // what else there is to look at costs something
		}
		if r.sum("troupe_jobs_finished_total") < float64(c.Jobs) {
			return false, nil
		}
		depth, err := r.backends.inbox.Depth(ctx, "default")
		return depth.Waiting+depth.Leased == 0 && r.sum("troupe_actors") == 0, err
	}
	if err := until(ctx, 10*time.Millisecond, finished); err != nil {
		return nil, err
	}
	took, spent, n := time.Since(began), r.meter.read().since(cpu), float64(c.Jobs)
	rows, commits = r.sum("troupe_write_through_batch_jobs")-rows, r.count("troupe_write_through_batch_jobs")-commits
	result := figures{
		"jobs/s": n / took.Seconds(), "enqueue jobs/s": n / enqueued.Seconds(), "rows/job": rows / n, "jobs/commit": rows / commits,
		"CPU us/job, self": spent.self / n * 1e6, "peak memory MB": peakMemory(),
	}
	if r.meter.redis != "" {
		result["CPU us/job, redis"] = spent.redis / n * 1e6
	}
	if r.meter.postmaster != "" {
		result["CPU us/job, postgres"] = spent.postgres / n * 1e6
	}
	return result, nil
}

// benchPayload is JSON of about so many bytes.
func benchPayload(size int) []byte {
	return fmt.Appendf(nil, `{"data":%q}`, strings.Repeat("x", max(size-11, 0)))
}
