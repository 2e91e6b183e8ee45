//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Kinds of faults.
const (
	faultKill = "kill -9"
	faultTerm = "SIGTERM"
	faultStop = "SIGSTOP"
	faultCut  = "cut"
)

// clusterCase is one way in which a node gets into trouble while it runs jobs.
type clusterCase struct {
	name string
	// jobs of a run take so long each, in steps of a quarter of a second; they must outlast the fault's discovery.
	takes time.Duration
	// moves: the victim's jobs must be started by others. Without, they must not be.
	moves bool
	// bound is the longest that may take, at the 99th percentile, from the fault on; 0 if nothing is promised.
	bound time.Duration
	// graceful: nobody crashes, and no crash may be counted.
	graceful bool
	// strike does it, and heal ends it. Strike answers from when the time to adopted counts, if that is later than now.
	strike func(c *cluster, n *clusterNode, long bool) (from time.Time)
	heal   func(c *cluster, n *clusterNode)
	// lasts is for how long the fault goes on at least after the jobs were adopted, and longLasts in the long runs.
	lasts, longLasts time.Duration
	// lanes is how many clusters share the long runs at once.
	lanes int
}

var clusterCases = []clusterCase{
	{
		name: "kill", takes: 8 * time.Second, moves: true, bound: 3 * time.Second, lanes: 3,
		strike: strikeKill,
		heal:   func(_ *cluster, n *clusterNode) { n.start() },
	},
	{
		name: "restart-same-address", takes: 8 * time.Second, moves: true, bound: 3 * time.Second, lanes: 3,
		strike: func(c *cluster, n *clusterNode, long bool) time.Time {
			from := strikeKill(c, n, long)
			n.start()
			return from
		},
		heal: func(*cluster, *clusterNode) {},
	},
	{
		name: "stop", takes: 12 * time.Second, moves: true, lasts: 10 * time.Second, longLasts: 60 * time.Second, lanes: 10,
		strike: func(c *cluster, n *clusterNode, _ bool) time.Time {
			c.fault(n, faultStop)
			n.signal(syscall.SIGSTOP)
			return time.Now()
		},
		heal: func(_ *cluster, n *clusterNode) { n.signal(syscall.SIGCONT) },
	},
	cutCase("cut-redis", true, 12*time.Second, toRedis),
	cutCase("cut-postgres", true, 18*time.Second, toPostgres),
	cutCase("cut-peers", false, 8*time.Second, toPeers),
	cutCase("cut-all", true, 12*time.Second, toRedis, toPostgres, toPeers),
	{
		name: "term", takes: 8 * time.Second, moves: true, graceful: true, bound: 3 * time.Second, lanes: 3,
		strike: func(c *cluster, n *clusterNode, _ bool) time.Time {
			c.fault(n, faultTerm)
			n.signal(syscall.SIGTERM)
			return time.Now().Add(c.drain) // until then its handlers may go on
		},
		heal: func(c *cluster, n *clusterNode) {
			c.await(n.name+" to end", n.ended)
			if n.err != nil {
				c.t.Errorf("%s did not end in good order: %v", n.name, n.err)
			}
			n.start()
		},
	},
}

func strikeKill(c *cluster, n *clusterNode, _ bool) time.Time {
	c.fault(n, faultKill)
	from := time.Now()
	n.kill()
	return from
}

func cutCase(name string, moves bool, takes time.Duration, links ...string) clusterCase {
	return clusterCase{
		name: name, takes: takes, moves: moves, lasts: 3 * time.Second, longLasts: 6 * time.Second, lanes: 5,
		strike: func(c *cluster, n *clusterNode, _ bool) time.Time {
			c.fault(n, faultCut)
			from := time.Now()
			c.net.cut(n.index, linkHole, links...)
			return from
		},
		heal: func(c *cluster, n *clusterNode) { c.net.cut(n.index, linkWell, links...) },
	}
}

// Jobs of a run, and how many of them the victim must have at least.
const (
	runJobs   = 18
	runVictim = 3
)

// run has a node struck while it runs jobs, and answers after which time each was started by another.
func (k *clusterCase) run(c *cluster, long bool) (adopted []time.Duration) {
	c.t.Helper()
	owner := fmt.Sprintf("o%d", rand.IntN(len(c.streams)))
	payload := map[string]int{"ms": int(k.takes.Milliseconds()), "steps": int(k.takes / (250 * time.Millisecond))}
	ids := make([]job.ID, runJobs)
	for i := range ids {
		id, err := c.submit(i, "sample.sleep", "work", owner, payload)
		if err != nil {
			c.t.Fatal(err)
		}
		ids[i] = id
	}
	held := map[string][]job.ID{}
	c.await("the jobs to run", func() bool {
		clear(held)
		for _, id := range ids {
			if node, ok := c.journal.running(id); ok {
				held[node] = append(held[node], id)
			}
		}
		return len(held[c.nodes[0].identity()])+len(held[c.nodes[1].identity()])+len(held[c.nodes[2].identity()]) == runJobs
	})
	if k.bound > 0 {
		c.settled()
	}
	time.Sleep(rand.N(500 * time.Millisecond)) // anywhere between two beats
	fit := slices.DeleteFunc(slices.Clone(c.nodes[:]), func(n *clusterNode) bool { return len(held[n.identity()]) < runVictim })
	victim := fit[rand.IntN(len(fit))]
	who := victim.identity()
	struck := time.Now()
	from := k.strike(c, victim, long)
	last := from
	if k.moves {
		last = k.awaitMoves(c, who, struck, held[who])
	}
	lasts := k.lasts
	if long && k.longLasts > 0 {
		lasts = k.longLasts
	}
	if k.name == "stop" {
		last = from
	}
	time.Sleep(time.Until(last.Add(lasts)))
	k.heal(c, victim)
	c.mu.Lock()
	for _, f := range c.faults {
		if f.to.IsZero() {
			f.to = time.Now()
		}
	}
	c.mu.Unlock()
	c.await("the jobs to end", func() bool { return !slices.ContainsFunc(ids, func(id job.ID) bool { return !c.journal.done(id) }) })
	c.together()
	for _, id := range ids {
		if next, ok := c.nextRun(id, who, struck); ok {
			if adopted = append(adopted, max(0, next.Sub(from))); !k.moves {
				c.t.Errorf("%s: job %s was taken from %s, which has all it needs", k.name, id, who)
			}
			if took := adopted[len(adopted)-1]; k.bound > 0 && took > k.bound {
				c.t.Logf("%s: job %s of %s, struck at %s, was adopted after %s, see %s", k.name, id, who, struck.UTC().Format("15:04:05.000"), took, filepath.Base(c.dir))
			}
		}
	}
	return adopted
}

// awaitMoves waits until each job is started by another node, or has ended, and answers when the last was.
func (k *clusterCase) awaitMoves(c *cluster, who string, struck time.Time, ids []job.ID) (last time.Time) {
	c.t.Helper()
	last = struck
	c.await(fmt.Sprintf("%d jobs of %s to be adopted", len(ids), who), func() bool {
		for _, id := range ids {
			next, ok := c.nextRun(id, who, struck)
			if !ok && !c.journal.done(id) {
				return false
			}
			if next.After(last) {
				last = next
			}
		}
		return true
	})
	return last
}

// nextRun is when a job that a node ran at a time was first started by another after it.
func (c *cluster) nextRun(id job.ID, who string, at time.Time) (time.Time, bool) {
	was := false
	for _, r := range c.journal.of(id) {
		if r.node == who && r.start.Before(at) && (r.end.IsZero() || r.end.After(at)) {
			was = true
		} else if was && r.node != who && r.start.After(at) {
			return r.start, true
		}
	}
	return time.Time{}, false
}
