package httpapi

import (
	"fmt"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// P4 on a Redis Cluster that has the inbox and the bus: one of its masters stands still for a while, and in the end clients of both
// nodes have seen the end of every job.
func TestTheEndIsSeenOnAClusterThatFalters(t *testing.T) {
	t.Parallel()
	servers := testenv.StartRedisCluster(t, 3)
	w := newWorld(t, fmt.Sprintf("redis://%s?addr=%s", servers[0].Addr, servers[1].Addr))
	client, err := redis.Open(t.Context(), w.redis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	queued := func(c *actors.Config) { c.Inbox = client.Inbox() }
	nodes := []*rig{w.start(nil, queued), w.start(nil, queued)}
	var conns []*connection
	for _, node := range nodes {
		c := watch(t, node.URL, "/v1/stream?topic=all").connect(t.Context())
		defer c.close()
		c.until(eventReady)
		conns = append(conns, c)
	}
	var ids []job.ID
	for n := range 60 {
		ids = append(ids, nodes[n%2].submit(`{"kind":"steps"}`))
		if n == 20 {
			servers[1].Suspend()
			resumed := make(chan struct{})
			defer func() { <-resumed }()
			time.AfterFunc(1500*time.Millisecond, func() { servers[1].Resume(); close(resumed) }) // before a submission gives up
		}
	}
	for _, c := range conns {
		for _, id := range ids {
			for !c.knows(id) {
				if _, ok := c.tryNext(); !ok {
					t.Fatalf("%s was cut off", c.base)
				}
			}
		}
	}
}
