package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

func TestJobsOfADeadNodeAreAdoptedSoonerThanTheirLeasesEnd(t *testing.T) {
	s := onServers(t)
	const jobs = 20
	work := func(ctx context.Context, j *actors.Job) error {
		var done string
		if found, err := j.Restore(&done); err != nil || found {
			if done != "half" {
				t.Errorf("the checkpoint was %q, %v", done, err)
			}
			return err
		}
		if err := j.Checkpoint(ctx, "half"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	one := s.host(t, map[string]actors.Handler{"work": work})
	ids := make([]job.ID, jobs)
	for i := range ids {
		ids[i] = one.submit("work", nil)
	}
	one.eventually("all have their checkpoint", func() bool {
		n := 0
		for _, j := range s.all(t, ids) {
			if len(j.Checkpoint) > 0 {
				n++
			}
		}
		return n == jobs
	})
	two := s.host(t, map[string]actors.Handler{"work": work})
	meet(t, one, two)
	s.settled(t)
	one.die()
	killed := time.Now()
	var last time.Time
	for _, id := range ids {
		j := two.await(id, job.Completed)
		if j.Attempts != 0 || j.Crashes != 1 {
			t.Errorf("adopted with %d attempts and %d crashes", j.Attempts, j.Crashes)
		}
		if j.Started.After(last) {
			last = j.Started
		}
	}
	took := last.Sub(killed)
	t.Logf("%d jobs were adopted within %s", jobs, took.Round(time.Millisecond))
	if took > 5*time.Second {
		t.Errorf("it took %s, longer than noticing a death may", took)
	}
	two.eventually("the dead is buried", func() bool { return len(two.Nodes(t.Context())) == 1 })
}

func TestANodeThatDrainsTakesLeave(t *testing.T) {
	s := onServers(t)
	h := newHolds()
	one, two := s.host(t, h.handler("one")), s.host(t, h.handler("two"))
	meet(t, one, two)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := one.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if fallen, err := one.client.Members().Fallen(t.Context()); err != nil || len(fallen) > 0 {
		t.Errorf("among the fallen: %v, %v", fallen, err)
	}
	two.eventually("it is off the list", func() bool { return len(two.Nodes(t.Context())) == 1 })
}

// A node that was cut off from Redis is taken for dead; its jobs go on elsewhere, and when it is back its own attempts are over.
func TestAReturnedNodeEndsWhatItLost(t *testing.T) {
	s := onServers(t)
	h := newHolds()
	one := s.host(t, h.handler("one"))
	ids := make([]job.ID, 10)
	for i := range ids {
		ids[i] = one.submit("hold", nil)
	}
	one.eventually("all run", func() bool { return h.count("one") == len(ids) })
	two := s.host(t, h.handler("two"))
	meet(t, one, two)
	was := one.Nodes(t.Context())
	one.redis.set(true)
	two.eventually("it is declared dead", func() bool {
		return !slices.ContainsFunc(two.Nodes(t.Context()), func(n actors.NodeInfo) bool { return n.Name == one.Node() && n.State == actors.NodeAlive })
	})
	two.eventually("all were adopted", func() bool { return h.count("two") == len(ids) })
	one.redis.set(false)
	one.eventually("its attempts have ended", func() bool { return len(h.causes()) == len(ids) })
	for _, cause := range h.causes() {
		if !errors.Is(cause, actors.ErrLeaseLost) {
			t.Errorf("ended by %v", cause)
		}
	}
	meet(t, one, two)
	one.eventually("it has a new incarnation", func() bool { return incarnation(one, one.Node()) > incarnationIn(was, one.Node()) })
	two.eventually("others know it", func() bool { return incarnation(two, one.Node()) > incarnationIn(was, one.Node()) })
	close(h.release)
	for _, id := range ids {
		if j := two.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 1 || j.Node != two.Node() {
			t.Errorf("%+v", j)
		}
	}
}

func incarnation(of *host, name string) int64 { return incarnationIn(of.Nodes(of.t.Context()), name) }

func incarnationIn(nodes []actors.NodeInfo, name string) int64 {
	for _, n := range nodes {
		if n.Name == name {
			return n.Incarnation
		}
	}
	return 0
}
