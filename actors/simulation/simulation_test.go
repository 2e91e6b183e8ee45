package simulation

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	seedFlag    = flag.Uint64("sim.seed", 0, "seed of the long simulation; 0 draws one")
	seedsFlag   = flag.Int("sim.seeds", 1, "how many seeds the long simulation runs, from the given one")
	nodesFlag   = flag.Int("sim.nodes", 200, "nodes of the long simulation")
	minutesFlag = flag.Float64("sim.minutes", 0, "minutes of virtual time that its storm lasts; 0 skips it")
	jobsFlag    = flag.Int("sim.jobs", 5000, "its jobs")
)

// report is what became of a simulation.
type report struct {
	broken  []string
	stories []string
	line    string
}

// simulate runs a cluster through its plan.
func simulate(t *testing.T, p plan) (found report) {
	t.Helper()
	began := time.Now()
	var virtual time.Duration
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := newCluster(t, p)
		for _, s := range c.slots {
			c.start(s)
		}
		peak := make(chan int, 1)
		done := make(chan struct{})
		go func() { peak <- watchGoroutines(done) }()
		stormed := make(chan struct{})
		go func() { c.rage(); close(stormed) }()
		c.serve()
		<-stormed
		for _, s := range c.slots {
			c.start(s)
		}
		c.rest()
		c.audit()
		virtual = time.Since(began)
		close(done)
		goroutines := <-peak
		c.close()
		time.Sleep(30 * time.Second) // stubborn handlers of dead nodes, and timers
		found = c.ledger.report(goroutines)
	})
	found.line = fmt.Sprintf("seed %d: %d nodes, %s, virtual %s in %s", p.seed, p.nodes, found.line, virtual.Round(time.Second), time.Since(began).Round(100*time.Millisecond))
	return found
}

// watchGoroutines is the most there were at once, as seen every second.
func watchGoroutines(done <-chan struct{}) (most int) {
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	for {
		most = max(most, runtime.NumGoroutine())
		select {
		case <-ticks.C:
		case <-done:
			return most
		}
	}
}

func (l *ledger) report(goroutines int) report {
	l.mu.Lock()
	defer l.mu.Unlock()
	var faults []string
	sum := 0
	for _, what := range slices.Sorted(maps.Keys(l.faults)) {
		faults = append(faults, fmt.Sprintf("%s %d", what, l.faults[what]))
		sum += l.faults[what]
	}
	slices.Sort(l.adopted)
	shown := 0
	for _, w := range l.watchers {
		shown += w.seen
	}
	return report{l.broken, l.stories(), fmt.Sprintf(
		"%d jobs asked for, %d accepted, %d runs, %d overlaps, %d faults (%s), %d states shown, %d excused, %d goroutines at most, %d adoptions p50 %s p99 %s, violations %d",
		len(l.asks), len(l.acks), len(l.runs), l.overlaps, sum, strings.Join(faults, ", "), shown, l.excused, goroutines,
		len(l.adopted), quantile(l.adopted, 0.5), quantile(l.adopted, 0.99), len(l.broken))}
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Round(time.Millisecond)
}

// hold runs a plan and wants no promise broken.
func hold(t *testing.T, p plan) {
	t.Helper()
	found := simulate(t, p)
	fmt.Println(found.line)
	for _, b := range found.broken {
		t.Error(b)
	}
	for _, s := range found.stories {
		t.Log(s)
	}
	if t.Failed() {
		t.Logf("again: go test ./actors/simulation -run TestSimulationLong %s", p)
	}
}

func TestSimulationOfACalmCluster(t *testing.T) {
	hold(t, plan{seed: 1, nodes: 10, storm: time.Minute, jobs: 500, calm: true, limit: 10 / 4})
}

func TestSimulation(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			p := plan{seed: seed + 1, nodes: 20, storm: 2 * time.Minute, jobs: 1500, limit: 5}
			if underRace {
				p.nodes, p.storm, p.jobs = 10, time.Minute, 400
			}
			hold(t, p)
		})
	}
}

func TestSimulationOfManyNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("two hundred nodes")
	}
	p := plan{seed: 1, nodes: 200, storm: 25 * time.Second, jobs: 1000, limit: 50}
	if underRace {
		p.nodes, p.jobs = 40, 400
	}
	hold(t, p)
}

func TestSimulationLong(t *testing.T) {
	if *minutesFlag == 0 {
		t.Skip("give -sim.minutes")
	}
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1_000_000)
	}
	for i := range *seedsFlag {
		p := plan{seed: seed + uint64(i), nodes: *nodesFlag, storm: time.Duration(*minutesFlag * float64(time.Minute)), jobs: *jobsFlag, limit: max(2, *nodesFlag/4)}
		t.Run(fmt.Sprint(p.seed), func(t *testing.T) { hold(t, p) })
	}
}
