package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type benchStreamCmd struct {
	benching
	Connections int           `help:"Idle streams, each of another owner, to see what one costs in memory." default:"10000"`
	Watchers    int           `help:"Streams, each of the jobs of its own owner, while jobs are submitted." default:"1000"`
	Rate        int           `help:"Jobs a second for them." default:"1000"`
	Crowd       int           `help:"Streams of all jobs, to see how much is fanned out." default:"100"`
	Duration    time.Duration `help:"How long each part lasts." default:"10s"`
}

// Run measures.
func (c *benchStreamCmd) Run(ctx context.Context, o output) error {
	return c.rounds(ctx, o, []string{
		"node MB before", "node MB just after opening", "node MB with idle streams", "KB per idle stream", "idle streams per GB",
		"end to client ms, p50", "end to client ms, p99", "end to client ms, max", "ends seen, share",
		"beside a stalled one ms, p50", "beside a stalled one ms, p99", "p99 ratio",
		"fan-out events/s", "fan-out of states, share", "CPU us/event, node",
	}, c.round)
}

// round measures a node that is another process, so that its memory is its own and not that of the streams' readers.
func (c *benchStreamCmd) round(ctx context.Context) (figures, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	node, err := startStreamNode(ctx, &c.benching)
	if err != nil {
		return nil, err
	}
	defer node.stop()
	f := figures{}
	for _, part := range []func(context.Context, *streamNode, figures) error{c.idle, c.ends, c.fanOut} {
		if err := part(ctx, node, f); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// idle holds many streams on which nothing happens.
func (c *benchStreamCmd) idle(ctx context.Context, node *streamNode, f figures) error {
	if err := node.collect(); err != nil {
		return err
	}
	before, err := node.memory()
	if err != nil {
		return err
	}
	crowd, err := openStreams(ctx, node.url, c.Connections, func(i int) string { return fmt.Sprintf("owner:idle-%d", i) }, nil)
	if err != nil {
		return err
	}
	defer crowd.close()
	during, err := node.memory()
	if err != nil {
		return err
	}
	if err := node.collect(); err != nil {
		return err
	}
	settled, err := node.memory()
	if err != nil {
		return err
	}
	each := (settled - before) / float64(c.Connections)
	f["node MB before"], f["node MB just after opening"], f["node MB with idle streams"] = before/1024, during/1024, settled/1024
	f["KB per idle stream"], f["idle streams per GB"] = each, (1<<20)/each
	return nil
}

// comparisons is into how many the time is cut in which two things are compared: what else the machine does then hits both.
const comparisons = 4

// ends measures how soon after a job's end its owner's stream shows it, beside a stream of all jobs that is read; and the same beside
// one that nobody reads.
func (c *benchStreamCmd) ends(ctx context.Context, node *streamNode, f figures) error {
	var calm, beside lateness
	for i := range comparisons {
		reader, err := openStreams(ctx, node.url, 1, func(int) string { return "all" }, nil)
		if err != nil {
			return err
		}
		err = c.watched(ctx, node, fmt.Sprintf("calm-%d", i), &calm)
		if reader.close(); err != nil {
			return err
		}
		stalled, err := stall(ctx, node.url)
		if err != nil {
			return err
		}
		err = errors.Join(c.watched(ctx, node, fmt.Sprintf("beside-%d", i), &beside), stalled.Close())
		if err != nil {
			return err
		}
	}
	f["end to client ms, p50"], f["end to client ms, p99"], f["end to client ms, max"] = calm.at(.5), calm.at(.99), calm.at(1)
	f["beside a stalled one ms, p50"], f["beside a stalled one ms, p99"] = beside.at(.5), beside.at(.99)
	f["p99 ratio"] = beside.at(.99) / calm.at(.99)
	f["ends seen, share"] = float64(calm.count()+beside.count()) / float64(2*comparisons*c.total(comparisons))
	return nil
}

// total is how many jobs are submitted in one of so many parts of the duration.
func (c *benchStreamCmd) total(parts int) int {
	return int(float64(c.Rate)*c.Duration.Seconds()) / parts
}

// watched submits jobs of many owners, each of whom has a stream, and notes how late each end was shown. What was not shown after half a
// minute, in which the store is asked for what was missed, is not noted.
func (c *benchStreamCmd) watched(ctx context.Context, node *streamNode, prefix string, late *lateness) error {
	before, total := late.count(), c.total(comparisons)
	owner := func(i int) string { return fmt.Sprintf("%s-%d", prefix, i%c.Watchers) }
	watchers, err := openStreams(ctx, node.url, c.Watchers, func(i int) string { return "owner:" + owner(i) }, late)
	if err != nil {
		return err
	}
	defer watchers.close()
	if err := node.submit(ctx, c.Rate, total, owner); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	_ = until(limit, 10*time.Millisecond, func() (bool, error) { return late.count()-before >= total, nil })
	return ctx.Err()
}

// fanOut has many streams show all jobs at once, more than can be shown one by one, and counts the frames that arrive.
func (c *benchStreamCmd) fanOut(ctx context.Context, node *streamNode, f figures) error {
	crowd, err := openStreams(ctx, node.url, c.Crowd, func(int) string { return "all" }, nil)
	if err != nil {
		return err
	}
	defer crowd.close()
	frames, cpu, began := crowd.frames.Load(), node.cpu(), time.Now()
	const unlimited = 1 << 30 // as fast as the node takes them
	if err := node.submit(ctx, unlimited, c.total(1), func(int) string { return "crowd" }); err != nil {
		return err
	}
	last := crowd.settled(ctx)
	took, got := last.Sub(began).Seconds(), float64(crowd.frames.Load()-frames)
	f["fan-out events/s"] = got / took
	f["fan-out of states, share"] = got / float64(c.Crowd) / float64(c.total(1))
	f["CPU us/event, node"] = (node.cpu() - cpu) / got * 1e6
	return nil
}
