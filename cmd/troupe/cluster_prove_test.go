//go:build unix

package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	clusterRuns    = flag.Int("cluster.runs", 0, "runs of each case of TestCluster; 0 is the short version")
	clusterProgram = flag.String("cluster.program", "", "binary to run instead of the one under test")
	clusterLogs    = flag.String("cluster.logs", "", "folder in which the nodes' logs are kept")
	clusterLanes   = flag.Int("cluster.lanes", 0, "clusters at once, instead of what each case has by default")
)

// shortRuns is how often the short version does each case.
const shortRuns = 1

// TestCluster gets the nodes of a cluster into trouble, and compares what clients, handlers, the database, Redis and streams say of it.
// The long version is `make prove-cluster`.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts clusters of processes and breaks them")
	}
	program := programOfTests(t)
	for _, k := range clusterCases {
		t.Run(k.name, func(t *testing.T) {
			if *clusterRuns == 0 {
				t.Parallel()
			}
			k.prove(t, program, func(t *testing.T, c *cluster) clusterNet { return newProxyNet(t, c) })
		})
	}
}

// prove does a case as often as was asked for, and says what came of it.
func (k *clusterCase) prove(t *testing.T, program string, net func(*testing.T, *cluster) clusterNet) {
	runs, lanes, long := *clusterRuns, k.lanes, true
	if *clusterLanes > 0 {
		lanes = *clusterLanes
	}
	if runs == 0 {
		runs, lanes, long = shortRuns, 1, false
	}
	var mu sync.Mutex
	var times []time.Duration
	sum := &verdict{}
	var began time.Time
	left := make(chan int, runs)
	for i := range runs {
		left <- i
	}
	close(left)
	t.Run("lanes", func(t *testing.T) {
		for lane := range min(lanes, runs) {
			t.Run(fmt.Sprint(lane), func(t *testing.T) {
				t.Parallel()
				mu.Lock()
				if began.IsZero() {
					began = time.Now()
				}
				mu.Unlock()
				c := newCluster(t, program, "work=64", "default=32")
				c.start(net(t, c))
				for i := range clusterSize {
					c.watch(i, fmt.Sprintf("o%d", i))
				}
				stop := c.load(8, smallJob)
				for range left {
					adopted := k.run(c, long)
					mu.Lock()
					times = append(times, adopted...)
					mu.Unlock()
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
				c.quiesce()
				v := c.audit()
				mu.Lock()
				defer mu.Unlock()
				sum.add(v)
			})
		}
	})
	k.report(t, runs, times, sum, time.Since(began))
}

func (v *verdict) add(o *verdict) {
	v.jobs, v.reruns, v.overlaps, v.lapsed, v.crashes = v.jobs+o.jobs, v.reruns+o.reruns, v.overlaps+o.overlaps, v.lapsed+o.lapsed, v.crashes+o.crashes
	v.lost, v.overwritten, v.spent, v.unexplained = v.lost+o.lost, v.overwritten+o.overwritten, v.spent+o.spent, v.unexplained+o.unexplained
	v.problems = append(v.problems, o.problems...)
}

// String is the figures, in one line.
func (v *verdict) String() string {
	return fmt.Sprintf("jobs=%d lost=%d overwritten=%d spent=%d unexplained=%d reruns=%d overlaps=%d lapsed=%d crashes=%d", v.jobs, v.lost, v.overwritten, v.spent, v.unexplained, v.reruns, v.overlaps, v.lapsed, v.crashes)
}

func (k *clusterCase) report(t *testing.T, runs int, times []time.Duration, v *verdict, took time.Duration) {
	slices.Sort(times)
	figures := fmt.Sprintf("runs=%d", runs)
	if len(times) > 0 {
		figures += fmt.Sprintf(" adopted=%d p50=%s p99=%s max=%s", len(times), quantile(times, 0.5), quantile(times, 0.99), quantile(times, 1))
	}
	if v.broken() {
		t.Errorf("%s", strings.Join(v.problems, "\n"))
	}
	if k.graceful && v.crashes > v.lapsed {
		t.Errorf("%d crashes were counted, and nothing crashed", v.crashes)
	}
	if k.moves && len(times) < runs*runVictim/2 {
		t.Errorf("only %d jobs were adopted: the fault had no effect", len(times))
	}
	if k.bound > 0 && len(times) > 0 && quantile(times, 0.99) > k.bound {
		t.Errorf("time to adopted is %s at the 99th percentile, want at most %s", quantile(times, 0.99), k.bound)
	}
	say(t, k.name, figures+" "+v.String(), took)
}

// say prints one line of a proof.
func say(t *testing.T, name, figures string, took time.Duration) {
	held := "held"
	if t.Failed() {
		held = "BROKEN"
	}
	line := fmt.Sprintf("PROOF %s %s took=%s %s", name, figures, took.Round(time.Second), held)
	if *clusterRuns > 0 {
		fmt.Fprintln(os.Stdout, line)
	} else {
		t.Log(line)
	}
}

// quantile is of sorted times.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1)+0.5)].Round(time.Millisecond)
}
