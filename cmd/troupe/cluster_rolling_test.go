//go:build unix

package main

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rolling is a deploy of all nodes, one after the other, under load.
type rolling struct {
	rate    int           // jobs a second
	takes   time.Duration // each
	steps   int
	drain   time.Duration
	streams int           // each of the jobs of another owner
	warm    time.Duration // of load before the first node is told to stop
	rest    time.Duration // of load between one node and the next
}

// TestClusterRolling has every node of a cluster stopped and started again while jobs are ordered, run and watched.
func TestClusterRolling(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a cluster of processes under load")
	}
	r := rolling{rate: 100, takes: 3 * time.Second, steps: 6, drain: 2 * time.Second, streams: 24, warm: 4 * time.Second, rest: 2 * time.Second}
	if *clusterRuns > 0 {
		r = rolling{rate: 200, takes: time.Minute, steps: 3, drain: 30 * time.Second, streams: 60, warm: 45 * time.Second, rest: 10 * time.Second}
	}
	began := time.Now()
	c := newCluster(t, buildForCluster(t), "work=8000", "default=32")
	c.drain = r.drain
	c.start(newProxyNet(t, c))
	for i := range r.streams {
		c.watch(i, fmt.Sprintf("o%d", i))
	}
	payload := map[string]int{"ms": int(r.takes.Milliseconds()), "steps": r.steps}
	stop := c.load(r.rate, func(i int) (kind, queue, owner string, _ any) {
		return "sample.sleep", "work", fmt.Sprintf("o%d", i%r.streams), payload
	})
	time.Sleep(r.warm / 2)
	before := c.cost()
	time.Sleep(r.warm / 2)
	cost := c.cost().since(before)
	var ends []string
	for _, n := range c.nodes {
		told := time.Now()
		c.fault(n, faultTerm)
		n.signal(syscall.SIGTERM)
		c.await(n.name+" to end", n.ended)
		if n.err != nil {
			t.Errorf("%s did not end in good order: %v", n.name, n.err)
		}
		ends = append(ends, fmt.Sprintf("%.1fs%s", time.Since(told).Seconds(), c.closes(n.index, told)))
		n.start()
		time.Sleep(r.rest)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	c.quiesce()
	v := c.audit()
	if v.broken() {
		t.Errorf("%s", strings.Join(v.problems, "\n"))
	}
	if v.crashes > v.lapsed {
		t.Errorf("%d crashes were counted, and nothing crashed", v.crashes)
	}
	if v.reruns == 0 {
		t.Error("no job was handed over: the deploy had no effect")
	}
	say(t, "rolling", fmt.Sprintf("rate=%d/s takes=%s; %s; ended after %s; %s", r.rate, r.takes, cost, strings.Join(ends, " "), v), time.Since(began))
}

// closes tells how the streams of a node were ended since a time: how many, over which time, and the largest share of them in any second.
func (c *cluster) closes(node int, since time.Time) string {
	var at []time.Duration
	for _, s := range c.streams {
		s.mu.Lock()
		for _, e := range s.ends {
			if e.node == node && e.reason == "drain" && e.at.After(since) {
				at = append(at, e.at.Sub(since))
			}
		}
		s.mu.Unlock()
	}
	if len(at) == 0 {
		return "(no stream)"
	}
	slices.Sort(at)
	most := 0
	for i := range at {
		n, _ := slices.BinarySearch(at, at[i]+time.Second)
		most = max(most, n-i)
	}
	return fmt.Sprintf("(%d streams over %.1f-%.1fs, at most %d in a second)", len(at), at[0].Seconds(), at[len(at)-1].Seconds(), most)
}
