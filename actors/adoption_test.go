package actors_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// A hundred thousand jobs of one dead node, in a queue that it alone served, wait again within seconds, in bounded calls.
func TestTheJobsOfADeadNodeAreAdoptedByTheHundredThousand(t *testing.T) {
	const jobs, queue = 100_000, "foreign"
	s := onServers(t)
	one := s.host(t, noop)
	ctx := t.Context()
	s.settled(t)
	members := one.client.Members()
	info, err := json.Marshal(actors.NodeInfo{Queues: []actors.NodeQueue{{Name: queue}}})
	if err != nil {
		t.Fatal(err)
	}
	for left := jobs; left > 0; left -= persistence.MaxBatch {
		entries := make([]persistence.Entry, persistence.MaxBatch)
		for i := range entries {
			entries[i] = persistence.Entry{ID: job.ID(uuid.Must(uuid.NewV7())), Life: 1, Envelope: []byte(`{}`)}
		}
		if _, err := s.inbox.Enqueue(ctx, queue, entries); err != nil {
			t.Fatal(err)
		}
		claims, err := s.inbox.Claim(ctx, queue, "dead", persistence.Ask{Max: len(entries), Lease: time.Hour})
		if err != nil || len(claims) != len(entries) {
			t.Fatalf("claimed %d, %v", len(claims), err)
		}
	}
	if _, err := members.Beat(ctx, persistence.Member{Name: "dead", Incarnation: 1, Started: time.Now(), Info: info}, persistence.MinSilence); err != nil {
		t.Fatal(err)
	}
	depth := func() persistence.Depth {
		d, err := s.inbox.Depth(ctx, queue)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	one.eventually("its death is noticed", func() bool { return depth().Leased < jobs })
	began := time.Now()
	one.eventually("all wait again", func() bool { return depth().Waiting == jobs })
	took := time.Since(began)
	t.Logf("%d jobs waited again within %s", jobs, took.Round(time.Millisecond))
	one.eventually("the dead is buried", func() bool {
		fallen, err := members.Fallen(ctx)
		return err == nil && len(fallen) == 0
	})
	if got := one.counter("troupe_adopted_total"); got != jobs {
		t.Errorf("%v are counted as adopted", got)
	}
	if got := one.counter("troupe_node_fallen_total"); got != 1 {
		t.Errorf("%v nodes are counted as fallen", got)
	}
	if left, _, err := s.inbox.ReapHolder(ctx, queue, "dead", "", 10); err != nil || len(left) > 0 {
		t.Errorf("leases are left: %v, %v", left, err)
	}
}

// counter sums a counter over its labels.
func (n *node) counter(name string) (sum float64) {
	n.t.Helper()
	families, err := n.registry.Gather()
	if err != nil {
		n.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
