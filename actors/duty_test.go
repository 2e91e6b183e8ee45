package actors_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// countingDues is an inbox that counts how often due jobs are looked for.
type countingDues struct {
	persistence.Inbox
	dues atomic.Int64
}

// Due implements persistence.Inbox.
func (c *countingDues) Due(ctx context.Context, queue string, max int) (int, time.Time, error) {
	c.dues.Add(1)
	return c.Inbox.Due(ctx, queue, max)
}

// Of several nodes one does the periodic work. When it dies another goes on with it, and jobs that fall due meanwhile are late by no more than
// it takes to notice the death.
func TestDutyIsOneNodesAndPassesOnWhenThatDies(t *testing.T) {
	s := onServers(t)
	var mu sync.Mutex
	late := map[job.ID]time.Duration{}
	handlers := map[string]actors.Handler{"tick": func(_ context.Context, j *actors.Job) error {
		mu.Lock()
		defer mu.Unlock()
		r := j.Record()
		late[j.ID()] = time.Since(r.RunAt)
		return nil
	}}
	hosts := make([]*host, 3)
	counts := make([]*countingDues, len(hosts))
	for i := range hosts {
		hosts[i] = s.host(t, handlers, func(c *actors.Config) {
			counts[i] = &countingDues{Inbox: c.Inbox}
			c.Inbox = counts[i]
		})
	}
	meet(t, hosts...)
	s.settled(t)
	for _, c := range counts {
		c.dues.Store(0)
	}
	const every, run = 50 * time.Millisecond, 12 * time.Second
	submit := func(h *host) job.ID {
		return h.submit("tick", nil, func(s *actors.Submission) { s.RunAt = time.Now().Add(300 * time.Millisecond) })
	}
	var healthy, across []job.ID
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(every) {
		healthy = append(healthy, submit(hosts[0]))
	}
	looks := make([]int64, len(counts))
	for i, c := range counts {
		looks[i] = c.dues.Load()
	}
	duty := slices.Index(looks, slices.Max(looks))
	t.Logf("looks for due jobs in 5 s: %v", looks)
	for i, n := range looks {
		if i != duty && n > looks[duty]/2 {
			t.Errorf("node %d looked %d times, though it is the duty of node %d (%d times)", i, n, duty, looks[duty])
		}
	}
	door := hosts[(duty+1)%len(hosts)]
	for _, id := range healthy {
		door.await(id, job.Completed)
	}
	killed := time.Now()
	go hosts[duty].die()
	for time.Since(killed) < run-5*time.Second {
		across = append(across, submit(door))
		time.Sleep(every)
	}
	for _, id := range across {
		door.await(id, job.Completed)
	}
	mu.Lock()
	defer mu.Unlock()
	report := func(what string, ids []job.ID) time.Duration {
		var all []time.Duration
		for _, id := range ids {
			all = append(all, late[id])
		}
		slices.Sort(all)
		t.Logf("%s: %d jobs, late by p50 %s, p99 %s, at most %s", what, len(all), all[len(all)/2].Round(time.Millisecond),
			all[len(all)*99/100].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond))
		return all[len(all)-1]
	}
	if worst := report("in health", healthy); worst > 3*time.Second {
		t.Errorf("a job was late by %s in health", worst)
	}
	if worst := report("across the death", across); worst > actors.DefaultLease {
		t.Errorf("a job was late by %s when the node on duty died", worst)
	}
}

func TestALimitOverAllNodesIsNeverExceeded(t *testing.T) {
	s := onServers(t)
	const limit, jobs = 5, 400
	var running, most, by atomic.Int64
	handlers := func(n int64) map[string]actors.Handler {
		return map[string]actors.Handler{"work": func(context.Context, *actors.Job) error {
			now := running.Add(1)
			for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
			}
			by.Or(n)
			time.Sleep(5 * time.Millisecond)
			running.Add(-1)
			return nil
		}}
	}
	one, two := s.host(t, handlers(1)), s.host(t, handlers(2))
	if _, err := one.SetQueue(t.Context(), "default", func(q *persistence.QueueSettings) { q.Everywhere = limit }); err != nil {
		t.Fatal(err)
	}
	two.eventually("both know the limit", func() bool {
		queues, err := two.Queues(t.Context())
		return err == nil && queues[0].Everywhere == limit
	})
	ids := make([]job.ID, jobs)
	began := time.Now()
	for i := range ids {
		ids[i] = []*host{one, two}[i%2].submit("work", nil)
	}
	for _, id := range ids {
		one.await(id, job.Completed)
	}
	t.Logf("%d jobs in %s, at most %d at once", jobs, time.Since(began).Round(time.Millisecond), most.Load())
	if most.Load() > limit {
		t.Errorf("%d ran at once, the limit is %d", most.Load(), limit)
	}
	if by.Load() != 3 {
		t.Errorf("one node did it all: %b", by.Load())
	}
	if _, err := one.SetQueue(t.Context(), "default", func(q *persistence.QueueSettings) { q.Everywhere = -1 }); err == nil {
		t.Error("a limit below 0 was taken")
	}
}
