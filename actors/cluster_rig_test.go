package actors_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/postgres"
	"github.com/meta-ad-studio/troupe/persistence/redis"
)

// host is a node with connections of its own, which end with it as a process's do.
type host struct {
	*node
	store  *postgres.Store
	client *redis.Client
	redis  *proxy
	pg     *proxy
	once   sync.Once
}

// host starts a node that is a member.
func (s servers) host(t *testing.T, handlers map[string]actors.Handler, options ...func(*actors.Config)) *host {
	t.Helper()
	h := &host{}
	var redisURL, storeURL string
	h.redis, redisURL = before(t, s.redis.URL)
	h.pg, storeURL = before(t, s.postgres.URL)
	var err error
	if h.store, err = postgres.Open(t.Context(), postgres.Config{URL: storeURL}); err != nil {
		t.Fatal(err)
	}
	if h.client, err = redis.Open(t.Context(), redis.Config{URL: redisURL}); err != nil {
		h.store.Close()
		t.Fatal(err)
	}
	t.Cleanup(h.die)
	own := world{h.store, h.client.Inbox(), func(name string) persistence.Bus { return h.client.Bus(name) }, s.artifacts}
	options = append([]func(*actors.Config){func(c *actors.Config) {
		c.Members, c.Lease = h.client.Members(), actors.DefaultLease
		c.Queues = []actors.Queue{{Name: "default", Concurrency: 50}}
	}}, options...)
	h.node = own.start(t, handlers, options...)
	h.world = s.world // what the test looks at is not cut off with the node
	return h
}

// die ends the node as kill -9 does: nothing is handed back, nobody is told, and its connections close.
func (h *host) die() {
	h.once.Do(func() {
		if h.node != nil {
			h.Close()
		}
		_ = h.client.Close()
		h.store.Close()
	})
}

// holds is a handler that holds its job until the channel is closed, and counts how it ended.
type holds struct {
	release chan struct{}
	mu      sync.Mutex
	begun   map[string]int // by node
	ended   []error        // causes of contexts
	at      []time.Time
}

func newHolds() *holds { return &holds{release: make(chan struct{}), begun: map[string]int{}} }

func (h *holds) handler(name string) map[string]actors.Handler {
	return map[string]actors.Handler{"hold": func(ctx context.Context, _ *actors.Job) error {
		h.mu.Lock()
		h.begun[name]++
		h.mu.Unlock()
		select {
		case <-h.release:
			return nil
		case <-ctx.Done():
			h.mu.Lock()
			defer h.mu.Unlock()
			h.ended, h.at = append(h.ended, context.Cause(ctx)), append(h.at, time.Now())
			return ctx.Err()
		}
	}}
}

func (h *holds) count(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.begun[name]
}

func (h *holds) causes() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]error(nil), h.ended...)
}

// settled waits until the list of members has been well for so long that it judges its members.
func (s servers) settled(t *testing.T) {
	t.Helper()
	began := time.Now()
	eventually(t, "the list has been well for long enough", func() bool { return time.Since(began) > actors.DefaultSilence+time.Second })
}

// meet waits until the nodes see each other.
func meet(t *testing.T, hosts ...*host) {
	t.Helper()
	for _, h := range hosts {
		eventually(t, "all nodes see each other", func() bool {
			alive := 0
			for _, n := range h.Nodes(t.Context()) {
				if n.State == actors.NodeAlive {
					alive++
				}
			}
			return alive == len(hosts)
		})
	}
}

// all reads the jobs from the store.
func (s servers) all(t *testing.T, ids []job.ID) []job.Job {
	t.Helper()
	records, err := s.store.Get(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	jobs := make([]job.Job, len(records))
	for i := range records {
		jobs[i] = records[i].Job
	}
	return jobs
}
