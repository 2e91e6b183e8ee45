package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
)

type benchLatencyCmd struct {
	benching
	Rate     int           `help:"Jobs a second, each due at its own moment." default:"500"`
	Duration time.Duration `help:"How long." default:"10s"`
}

// Run measures.
func (c *benchLatencyCmd) Run(ctx context.Context, o output) error {
	return c.rounds(ctx, o, []string{"start ms, p50", "start ms, p99", "start ms, max", "done ms, p50", "done ms, p99", "done ms, max"}, c.round)
}

// clocked is the payload: when the job was due.
type clocked struct {
	Due int64 `json:"due"` // nanoseconds since 1970
}

// lateness collects how late things were.
type lateness struct {
	mu sync.Mutex
	ms []float64
}

func (l *lateness) add(since time.Time) {
	l.mu.Lock()
	l.ms = append(l.ms, float64(time.Since(since))/1e6)
	l.mu.Unlock()
}

func (l *lateness) at(q float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.ms)
	return l.ms[int(q*float64(len(l.ms)-1))]
}

func (c *benchLatencyCmd) round(ctx context.Context) (figures, error) {
	var started, done lateness
	dues := sync.Map{} // job id -> due
	r, err := c.rig(ctx, func(_ context.Context, j *actors.Job) error {
		var p clocked
		if err := j.Bind(&p); err != nil {
			return err
		}
		due := time.Unix(0, p.Due)
		dues.Store(j.ID(), due)
		started.add(due)
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer r.clean()
	watch, err := r.app.Watch(ctx, actors.WatchRequest{Topics: []actors.Topic{{Kind: actors.TopicAll}}})
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	stop, err := c.profile()
	if err != nil {
		return nil, err
	}
	defer stop()
	watched := make(chan error, 1)
	total := int(float64(c.Rate) * c.Duration.Seconds())
	go func() { watched <- watchEnds(ctx, watch, total, &dues, &done) }()
	if err := c.submit(ctx, r, total); err != nil {
		return nil, err
	}
	if err := <-watched; err != nil {
		return nil, err
	}
	return figures{
		"start ms, p50": started.at(.5), "start ms, p99": started.at(.99), "start ms, max": started.at(1),
		"done ms, p50": done.at(.5), "done ms, p99": done.at(.99), "done ms, max": done.at(1),
	}, nil
}

// submit is an open loop: a job's clock starts when it is due, whether or not the one before it was accepted.
func (c *benchLatencyCmd) submit(ctx context.Context, r *rig, total int) error {
	began := time.Now().Add(100 * time.Millisecond)
	gap := time.Second / time.Duration(c.Rate)
	errs := make(chan error, total)
	for i := range total {
		due := began.Add(time.Duration(i) * gap)
		time.Sleep(time.Until(due))
		go func() {
			payload, err := json.Marshal(clocked{due.UnixNano()})
			if err == nil {
				_, err = r.app.Submit(ctx, actors.Submission{Kind: "bench", Payload: payload})
			}
			errs <- err
		}()
	}
	for range total {
		if err := <-errs; err != nil {
			return fmt.Errorf("submit: %w", err)
		}
	}
	return nil
}

// watchEnds notes when each end is shown to a stream, after its commit.
func watchEnds(ctx context.Context, w actors.Watching, total int, dues *sync.Map, done *lateness) error {
	for ended := 0; ended < total; {
		batch, err := w.Next(ctx)
		if err != nil {
			return err
		}
		for _, u := range batch.Updates {
			if !u.View.Terminal {
				continue
			}
			ended++
			if due, ok := dues.LoadAndDelete(u.View.ID); ok {
				done.add(due.(time.Time))
			}
		}
	}
	return nil
}
