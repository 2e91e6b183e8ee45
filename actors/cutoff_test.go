package actors_test

import (
	"errors"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// A node that alone has lost the store hands back what it runs, spends nothing with it, and claims no more until it has the store again.
func TestANodeCutOffFromTheStoreHandsItsJobsBack(t *testing.T) {
	s := onServers(t)
	h := newHolds()
	one := s.host(t, h.handler("one"), hasty)
	ids := make([]job.ID, 10)
	for i := range ids {
		ids[i] = one.submit("hold", nil)
	}
	for _, id := range ids {
		one.await(id, job.Processing)
	}
	two := s.host(t, h.handler("two"), hasty)
	meet(t, one, two)
	time.Sleep(3 * time.Second) // two has been well for as long as one will have been cut off
	one.pg.set(true)
	cut := time.Now()
	two.eventually("all run elsewhere", func() bool { return h.count("two") == len(ids) })
	t.Logf("all ran elsewhere %s after the cut", time.Since(cut).Round(time.Millisecond))
	for _, cause := range h.causes() {
		if !errors.Is(cause, actors.ErrLeaseLost) {
			t.Errorf("ended by %v", cause)
		}
	}
	if n := h.count("one"); n != len(ids) {
		t.Errorf("the node that is cut off began %d jobs, want the %d it had", n, len(ids))
	}
	one.pg.set(false)
	close(h.release)
	for _, id := range ids {
		if j := two.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 0 || j.Node != two.Node() {
			t.Errorf("%+v", j)
		}
	}
	two.die()
	one.await(one.submit("hold", nil), job.Completed) // it claims again
	one.emptied("default")
}

// A store that is down for all stops nobody.
func TestAStoreThatIsDownForAllEndsNoAttempt(t *testing.T) {
	s := onServers(t)
	h := newHolds()
	one, two := s.host(t, h.handler("one"), hasty), s.host(t, h.handler("two"), hasty)
	meet(t, one, two)
	id := one.submit("hold", nil)
	one.await(id, job.Processing)
	s.postgres.Kill()
	time.Sleep(8 * time.Second)
	if causes := h.causes(); len(causes) > 0 {
		t.Errorf("ended by %v", causes)
	}
	s.postgres.Start()
	close(h.release)
	if j := one.await(id, job.Completed); j.Attempts != 0 || j.Crashes != 0 || j.Token != 1 {
		t.Errorf("%+v", j)
	}
}

// A node that reaches nothing and nobody ends its attempts: others have the jobs.
func TestAnIsolatedNodeEndsItsAttempts(t *testing.T) {
	s := onServers(t)
	h := newHolds()
	one := s.host(t, h.handler("one"), hasty)
	id := one.submit("hold", nil)
	one.await(id, job.Processing)
	two := s.host(t, h.handler("two"), hasty)
	meet(t, one, two)
	one.pg.set(true)
	one.redis.set(true)
	cut := time.Now()
	one.eventually("the attempt has ended", func() bool { return len(h.causes()) == 1 })
	if cause := h.causes()[0]; !errors.Is(cause, actors.ErrLeaseLost) {
		t.Errorf("ended by %v", cause)
	}
	t.Logf("it ended %s after the cut", time.Since(cut).Round(time.Millisecond))
	two.eventually("the job runs elsewhere", func() bool { return h.count("two") == 1 })
	one.pg.set(false)
	one.redis.set(false)
	close(h.release)
	if j := two.await(id, job.Completed); j.Attempts != 0 || j.Crashes > 1 || j.Node != two.Node() {
		t.Errorf("%+v", j)
	}
	meet(t, one, two)
	two.die()
	one.await(one.submit("hold", nil), job.Completed)
}
