package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// plan is what a simulation is made from.
type plan struct {
	seed   uint64
	nodes  int
	storm  time.Duration // how long clients and nemesis act
	jobs   int
	limit  int  // of the limited queue over all nodes
	calm   bool // without a nemesis
	mutant mutant
}

func (p plan) String() string {
	return fmt.Sprintf("-sim.seed %d -sim.nodes %d -sim.minutes %g -sim.jobs %d", p.seed, p.nodes, p.storm.Minutes(), p.jobs)
}

func (p plan) rng(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(p.seed, stream)) }

// errand is what one client wants.
type errand struct {
	at       time.Duration // since the beginning
	sub      actors.Submission
	order    order
	cancel   time.Duration // after it was accepted; 0: not
	redrive  bool          // once it has failed or was cancelled
	hasten   bool
	repeated bool // another client asks with the same key at the same time
}

// shares are how many of a hundred jobs are of a kind.
var shares = []struct {
	kind  string
	share int
}{
	{"quick", 28}, {"safe", 14}, {"limited", 12}, {"steps", 14}, {"flaky", 10}, {"hopeless", 4}, {"panic", 4}, {"snooze", 5}, {"stubborn", 3}, {"rare", 6},
}

// errands are all jobs of a run, by time.
func (p plan) errands() []errand {
	rng := p.rng(2)
	within := func(low, high time.Duration) time.Duration { return low + time.Duration(rng.Int64N(int64(high-low))) }
	var all []errand
	for n := range p.jobs {
		e := errand{at: within(0, p.storm), order: order{N: n}}
		kind := p.kindOf(rng, n)
		e.sub = actors.Submission{Kind: kind, Policy: job.Policy{
			MaxAttempts: 4, MaxCrashes: 50, Backoff: job.Backoff{Base: job.Duration(200 * time.Millisecond), Max: job.Duration(5 * time.Second)},
		}}
		switch kind {
		case "steps":
			e.order.Takes = within(5*time.Second, 40*time.Second)
		case "stubborn":
			e.order.Takes = within(5*time.Second, 15*time.Second)
		case "limited":
			e.order.Takes = within(200*time.Millisecond, 3*time.Second)
		case "poison":
			e.sub.Policy.MaxCrashes = poisonCrashes
		default:
			e.order.Takes = within(0, 500*time.Millisecond)
		}
		e.order.Times = 1 + rng.IntN(3)
		if rng.IntN(3) == 0 {
			e.sub.Key = fmt.Sprintf("key-%d", n)
			e.sub.Fingerprint = e.sub.Key
			e.repeated = rng.IntN(4) == 0
		}
		if rng.IntN(10) == 0 {
			e.sub.RunAt = simulationBegan.Add(e.at + within(time.Second, 20*time.Second))
			e.hasten = rng.IntN(4) == 0
		}
		if slow := kind == "steps" || kind == "stubborn"; kind != "poison" && (slow && rng.IntN(4) == 0 || rng.IntN(25) == 0) {
			e.cancel = within(time.Millisecond, 15*time.Second)
		}
		e.redrive = kind == "hopeless" && rng.IntN(2) == 0 || e.cancel > 0 && rng.IntN(4) == 0
		if rng.IntN(2) == 0 {
			p := rng.IntN(job.MaxPriority + 1)
			e.sub.Priority = &p
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b errand) int { return int(a.at - b.at) })
	return all
}

// poisonCrashes is how many deaths of its nodes a poisonous job is allowed.
const poisonCrashes = 2

// simulationBegan is when time begins in a bubble.
var simulationBegan = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (p plan) kindOf(rng *rand.Rand, n int) string {
	if !p.calm && n%400 == 200 {
		return "poison"
	}
	d := rng.IntN(100)
	for _, s := range shares {
		if d -= s.share; d < 0 {
			return s.kind
		}
	}
	return "quick"
}
