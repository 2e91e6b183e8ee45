package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/persistence/postgres"
	"github.com/meta-ad-studio/troupe/persistence/redis"
)

// compared are the figures of a round with several nodes, each measured with one node and with all.
var compared = []string{"jobs/s", "rows/job", "jobs/commit", "CPU us/job, nodes", "CPU us/job, redis", "CPU us/job, postgres", "least share of a node"}

// comparison is the order of the figures when one node is compared with several.
func (c *benchDrainCmd) comparison() (order []string) {
	for _, name := range compared {
		order = append(order, name+", 1 node", fmt.Sprintf("%s, %d nodes", name, c.Nodes))
	}
	return append(order, "jobs/s of all by those of one")
}

// compare measures one node and then several on the same servers, or the other way round every second time: what else the machine does
// then hits both.
func (c *benchDrainCmd) compare(ctx context.Context) (figures, error) {
	if c.RedisURL == "" || c.DatabaseURL == "" {
		return nil, errors.New("several nodes need --redis-url and --database-url")
	}
	counts := []int{1, c.Nodes}
	if c.turns++; c.turns%2 == 0 {
		slices.Reverse(counts)
	}
	all := figures{}
	for _, nodes := range counts {
		one, err := c.drainWith(ctx, nodes)
		if err != nil {
			return nil, err
		}
		suffix := ", 1 node"
		if nodes > 1 {
			suffix = fmt.Sprintf(", %d nodes", nodes)
		}
		for name, value := range one {
			all[name+suffix] = value
		}
	}
	all["jobs/s of all by those of one"] = all[fmt.Sprintf("jobs/s, %d nodes", c.Nodes)] / all["jobs/s, 1 node"]
	return all, nil
}

// drainWith has so many nodes, processes each, work off a backlog. They start paused, and one of them loads it.
func (c *benchDrainCmd) drainWith(ctx context.Context, count int) (_ figures, err error) {
	folder, err := os.MkdirTemp("", "troupe-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	s := storage{RedisURL: c.RedisURL, RedisPrefix: fmt.Sprintf("bench-%d:", time.Now().UnixNano()), Data: folder, AutoMigrate: true}
	var drop func() error
	if s.DatabaseURL, drop, err = postgres.Scratch(ctx, c.DatabaseURL); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, drop()) }()
	back, err := s.open(ctx, "bench")
	if err != nil {
		return nil, err
	}
	defer back.close()
	scratch, err := redis.Open(ctx, redis.Config{URL: s.RedisURL, Prefix: s.RedisPrefix})
	if err != nil {
		return nil, err
	}
	defer forget(scratch)
	process, err := scratch.Process(ctx)
	if err != nil {
		return nil, err
	}
	if err := back.store.Ping(ctx); err != nil { // the meter finds Postgres by a connection
		return nil, err
	}
	meter := newMeter(process)
	nodes := make([]*drainNode, count)
	for i := range nodes {
		if nodes[i], err = startDrainNode(ctx, s, c, i); err != nil {
			return nil, err
		}
		defer nodes[i].stop()
	}
	if err := errors.Join(nodes[0].order("pause", nil), nodes[0].order(strconv.Itoa(c.Jobs), nil)); err != nil {
		return nil, err
	}
	if err := until(ctx, 25*time.Millisecond, func() (bool, error) {
		all, err := figuresOf(nodes[:1])
		return all.Rows >= float64(c.Jobs), err
	}); err != nil {
		return nil, err
	}
	before, err := figuresOf(nodes)
	if err != nil {
		return nil, err
	}
	servers, began := meter.read(), time.Now()
	if err := nodes[0].order("resume", nil); err != nil {
		return nil, err
	}
	if err := until(ctx, 20*time.Millisecond, func() (bool, error) {
		depth, err := back.inbox.Depth(ctx, "default")
		return depth.Waiting+depth.Leased == 0, err
	}); err != nil {
		return nil, err
	}
	took := time.Since(began)
	spent := meter.read().since(servers)
	return c.comparedFigures(nodes, before, meter, spent, took)
}

func (c *benchDrainCmd) comparedFigures(nodes []*drainNode, before drained, m meter, spent cpu, took time.Duration) (figures, error) {
	after, err := figuresOf(nodes)
	if err != nil {
		return nil, err
	}
	n := float64(c.Jobs)
	f := figures{
		"jobs/s": n / took.Seconds(), "rows/job": (after.Rows - before.Rows) / n, "jobs/commit": (after.Rows - before.Rows) / (after.Commits - before.Commits),
		"CPU us/job, nodes": (after.CPU - before.CPU) / n * 1e6, "least share of a node": 1,
	}
	for _, node := range nodes {
		one, err := figuresOf([]*drainNode{node})
		if err != nil {
			return nil, err
		}
		f["least share of a node"] = min(f["least share of a node"], float64(one.Handled)/n)
	}
	if m.redis != "" {
		f["CPU us/job, redis"] = spent.redis / n * 1e6
	}
	if m.postmaster != "" {
		f["CPU us/job, postgres"] = spent.postgres / n * 1e6
	}
	return f, nil
}

// figuresOf is the sum over the nodes, and the largest peak.
func figuresOf(nodes []*drainNode) (sum drained, err error) {
	for _, n := range nodes {
		var one drained
		if err := n.order("figures", &one); err != nil {
			return sum, err
		}
		sum.Handled, sum.CPU, sum.Rows, sum.Commits = sum.Handled+one.Handled, sum.CPU+one.CPU, sum.Rows+one.Rows, sum.Commits+one.Commits
		sum.Peak, sum.Actors = max(sum.Peak, one.Peak), sum.Actors+one.Actors
	}
	return sum, nil
}
