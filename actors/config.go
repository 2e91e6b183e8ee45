package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors/cluster"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Config is what a node is made of.
type Config struct {
	Version   string // of the program, as operators see it; empty is fine
	Node      string // this incarnation's name; unique for ever, 1 to 64 bytes (job.ValidName)
	Store     persistence.Store
	Inbox     persistence.Inbox
	Bus       persistence.Bus
	Artifacts persistence.Artifacts
	Queues    []Queue
	Log       *slog.Logger
	Metrics   prometheus.Registerer

	// Lease is how long a claim holds without renewal: a node's jobs are adopted that long after its death. 1 s to
	// 10 min; default DefaultLease.
	Lease time.Duration
	// KeyTTL is how long an idempotency key binds; default 24 h.
	KeyTTL time.Duration
	// Retention is how long ended jobs are kept; 0 keeps them for ever.
	Retention time.Duration
	// Members is the list of the nodes that live; nil: this one is alone, or works by its leases only. Incarnation is the number of
	// this life (see persistence.Store); 0 has it drawn. After Silence without a beat the node is declared dead, which is noticed sooner if its
	// process is gone: persistence.MinSilence to 10 min, default DefaultSilence.
	Members     persistence.Members
	Incarnation int64
	Silence     time.Duration
	// Remote is how other nodes reach this one, and it them; nil: it takes no commands from them but by way of store and bus. It needs Members.
	// Node, Handle and Log are filled in.
	Remote *cluster.Config
	// CancelGrace is how long a handler whose context has ended may take to return, before its job goes on without it;
	// default 10 s.
	CancelGrace time.Duration
	// OnDrain is called, once and in a goroutine of its own, when somebody has asked that this node drain: the program should then end
	// it in order, as on SIGTERM. Nil refuses such requests.
	OnDrain func(by string)
}

// DefaultLease lets the jobs of a dead node be adopted in less than ten seconds.
const DefaultLease = 8 * time.Second

// Queue is how a node treats one queue.
type Queue struct {
	Name string
	// Concurrency is how many handlers this node runs at once for the queue; 0 takes 100. Settings made at run time win.
	Concurrency int
	// StoreFirst answers a submission only when the store has the job, too: losing the whole inbox then loses nothing.
	StoreFirst bool
	// Policy fills what a submission and its kind leave out.
	Policy job.Policy
}

// Durability is the word for how accepted jobs of the queue are kept.
func (q Queue) Durability() string {
	if q.StoreFirst {
		return "store"
	}
	return "inbox"
}

// Bounds of a node.
const (
	MaxQueues          = 50
	MaxKinds           = 100
	MaxConcurrency     = 10_000
	MaxEverywhere      = 1_000_000 // handlers of a queue at once over all nodes, as may be set
	defaultConcurrency = 100

	// maxUnsettled bounds the jobs of one queue that are done but not yet recorded and settled, as when the store is down.
	maxUnsettled = 4000
	// maxUnsaved bounds the rows of accepted jobs that wait for the store. Beyond it they are left to be written when the job
	// is claimed: the inbox has them.
	maxUnsaved = 50_000
)

// DefaultQueues is what a node serves when nothing is configured: a queue for everything, and one for videos, which are
// few, long and costly.
func DefaultQueues() []Queue {
	return []Queue{
		{Name: "default", Concurrency: defaultConcurrency},
		{Name: "video", Concurrency: max(1, runtime.NumCPU()/2), StoreFirst: true},
	}
}

func (c *Config) complete() error {
	if c.Store == nil || c.Inbox == nil || c.Bus == nil || c.Artifacts == nil {
		return errors.New("config: store, inbox, bus and artifacts are all needed")
	}
	if !job.ValidName(c.Node) {
		return fmt.Errorf("config: node %q: not a valid name", c.Node)
	}
	if len(c.Queues) == 0 {
		c.Queues = DefaultQueues()
	}
	if len(c.Queues) > MaxQueues {
		return fmt.Errorf("config: %d queues, at most %d", len(c.Queues), MaxQueues)
	}
	seen := map[string]bool{}
	for i := range c.Queues {
		q := &c.Queues[i]
		if !job.ValidName(q.Name) || seen[q.Name] {
			return fmt.Errorf("config: queue %q: not a valid name, or there twice", q.Name)
		}
		seen[q.Name] = true
		if q.Concurrency == 0 {
			q.Concurrency = defaultConcurrency
		}
		if q.Concurrency < 1 || q.Concurrency > MaxConcurrency {
			return fmt.Errorf("config: queue %s: concurrency %d is not within 1 and %d", q.Name, q.Concurrency, MaxConcurrency)
		}
	}
	if c.Lease == 0 {
		c.Lease = DefaultLease
	}
	if c.Lease < time.Second || c.Lease > 10*time.Minute {
		return fmt.Errorf("config: lease %s is not within 1s and 10m", c.Lease)
	}
	if c.Silence == 0 {
		c.Silence = DefaultSilence
	}
	if c.Silence < persistence.MinSilence || c.Silence > maxSilence {
		return fmt.Errorf("config: silence %s is not within %s and %s", c.Silence, persistence.MinSilence, maxSilence)
	}
	if c.Remote != nil && c.Members == nil {
		return errors.New("config: remoting needs a list of members")
	}
	if c.KeyTTL == 0 {
		c.KeyTTL = 24 * time.Hour
	}
	if c.CancelGrace == 0 {
		c.CancelGrace = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	return nil
}
