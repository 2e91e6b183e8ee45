package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/persistence"
	"github.com/meta-ad-studio/troupe/persistence/local"
	"github.com/meta-ad-studio/troupe/persistence/reference"
)

// lease, silence, grace and the queues are those of all nodes.
const (
	lease     = 8 * time.Second
	silence   = actors.DefaultSilence
	grace     = 3 * time.Second
	keyTTL    = 24 * time.Hour
	perNode   = 6 // handlers at once for each queue
	protected = 2 // nodes that are never killed: streams are watched there
)

const (
	queueMain    = "default"
	queueSafe    = "safe"    // answers when the store has the job
	queueLimited = "limited" // has a bound over all nodes
)

var queues = []string{queueMain, queueSafe, queueLimited}

// The servers that nodes reach over links.
const (
	toInbox = iota
	toStore
	toBus
	toMembers
	servers
)

var serverNames = [servers]string{"inbox", "store", "bus", "members"}

// cluster is the servers and the nodes.
type cluster struct {
	t       *testing.T
	plan    plan
	ledger  *ledger
	inbox   *reference.Inbox
	store   *reference.Store
	far     persistence.Store // the store as links reach it
	hub     *local.Hub
	members *reference.Members
	dice    *dice

	mu    sync.Mutex
	down  [servers]bool
	slots []*slot
	ends  sync.WaitGroup // of nodes that are being closed
}

// slot is a place where one incarnation of a node after another runs.
type slot struct {
	index int
	born  int
	node  *node // nil while nothing runs
	// one is being started
	starting bool
}

// node is one incarnation.
type node struct {
	*actors.App
	cluster *cluster
	slot    *slot
	name    string
	links   [servers]*link
	watches context.CancelFunc

	mu      sync.Mutex
	crashed bool
	leaving bool // draining
}

func newCluster(t *testing.T, p plan) *cluster {
	c := &cluster{
		t: t, plan: p, inbox: reference.NewInbox(p.mutant.inbox), store: reference.NewStore(p.mutant.store), hub: local.NewHub(), members: reference.NewMembers(""),
		dice: newDice(p.seed, 1),
	}
	c.far = c.store
	if p.mutant.lateCommits {
		c.far = hastyStore{c.store}
	}
	c.ledger = newLedger(c)
	if err := c.store.SaveQueue(t.Context(), persistence.QueueSettings{Name: queueLimited, Everywhere: p.limit}); err != nil {
		t.Fatal(err)
	}
	for i := range p.nodes {
		c.slots = append(c.slots, &slot{index: i})
	}
	return c
}

// start starts the next incarnation of a slot.
func (c *cluster) start(s *slot) {
	c.mu.Lock()
	if s.node != nil || s.starting {
		c.mu.Unlock()
		return
	}
	s.starting = true
	s.born++
	n := &node{cluster: c, slot: s, name: fmt.Sprintf("n%03d.%d", s.index, s.born)}
	for i := range n.links {
		n.links[i] = newLink(newDice(c.plan.seed, uint64(1000*s.index+10*s.born+i+1_000_000)))
		n.links[i].state.down = c.down[i]
	}
	c.mu.Unlock()
	defer c.started(s, n)
	deaf := max(0, 1-20/float64(c.plan.nodes))
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("TROUPE_TEST_LOG") != "" {
		log = slog.New(slog.NewTextHandler(c.t.Output(), nil))
	}
	app, err := actors.New(actors.Config{
		Node:    n.name,
		Inbox:   &linkedInbox{n.links[toInbox], c.inbox, c.ledger, deaf},
		Store:   &linkedStore{n.links[toStore], c.far},
		Bus:     &linkedBus{n.links[toBus], c.hub.Bus(n.name), c.ledger},
		Members: &linkedMembers{n.links[toMembers], c.members}, Silence: silence,
		Queues: []actors.Queue{
			{Name: queueMain, Concurrency: perNode}, {Name: queueSafe, Concurrency: perNode, StoreFirst: true}, {Name: queueLimited, Concurrency: perNode},
		},
		Artifacts: noArtifacts{}, Lease: lease, CancelGrace: grace, KeyTTL: keyTTL, Metrics: prometheus.NewRegistry(), Log: log,
	})
	if err != nil {
		c.t.Errorf("node %s: %v", n.name, err)
		return
	}
	n.App = app
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		if kinds[kind].on(s.index) {
			app.Handle(kind, n.handler(kind), actors.KindOptions{Queue: kinds[kind].queue})
		}
	}
	if err := app.Start(c.t.Context()); err != nil {
		c.t.Errorf("start %s: %v", n.name, err)
	}
	if s.index < protected {
		ctx, cancel := context.WithCancel(context.Background())
		n.watches = cancel
		c.ends.Go(func() { c.ledger.watch(ctx, n) })
	}
}

// started puts a node into its slot, unless it has died of its first job.
func (c *cluster) started(s *slot, n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.starting = false
	if n.App == nil || n.dead() {
		return
	}
	s.node = n
	for i, l := range n.links {
		l.set(func(s *state) { s.down = c.down[i] })
	}
}

// crash ends a node at once: nothing that it still does reaches anything.
func (c *cluster) crash(n *node) bool {
	n.mu.Lock()
	if n.crashed {
		n.mu.Unlock()
		return false
	}
	n.crashed = true
	n.mu.Unlock()
	for _, l := range n.links {
		l.set(func(s *state) { s.dead = true })
	}
	c.ledger.crashed(n.name)
	c.vacate(n)
	c.ends.Go(n.close)
	return true
}

func (n *node) close() {
	if n.watches != nil {
		n.watches()
	}
	n.Close()
}

func (c *cluster) vacate(n *node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.slot.node == n {
		n.slot.node = nil
	}
}

// drain ends a node as a deployment does.
func (c *cluster) drain(n *node, patience time.Duration) {
	n.mu.Lock()
	n.leaving = true
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = n.Drain(ctx) // what could not be handed back is left to its lease
	c.crash(n)
}

func (n *node) dead() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.crashed
}

// fault changes links of a node for a while, and notes it.
func (c *cluster) fault(n *node, what string, lasts time.Duration, links []int, begin, end func(*state)) {
	c.ledger.faulted(n.name, what, lasts)
	for _, i := range links {
		n.links[i].set(begin)
	}
	time.Sleep(lasts)
	for _, i := range links {
		n.links[i].set(end)
	}
}

// outage takes a server from everybody for a while.
func (c *cluster) outage(server int, lasts time.Duration) {
	c.ledger.faulted("", serverNames[server]+" down", lasts)
	c.setDown(server, true)
	time.Sleep(lasts)
	c.setDown(server, false)
}

func (c *cluster) setDown(server int, down bool) {
	c.mu.Lock()
	c.down[server] = down
	c.mu.Unlock()
	for _, n := range c.running() {
		n.links[server].set(func(s *state) { s.down = down })
	}
}

// running are the nodes that run now.
func (c *cluster) running() []*node {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*node
	for _, s := range c.slots {
		if s.node != nil {
			all = append(all, s.node)
		}
	}
	return all
}

// any is a running node, or nil.
func (c *cluster) any() *node {
	all := c.running()
	if len(all) == 0 {
		return nil
	}
	return all[c.dice.n(len(all))]
}

// close ends all nodes.
func (c *cluster) close() {
	for _, n := range c.running() {
		c.vacate(n)
		c.ends.Go(n.close)
	}
	c.ends.Wait()
}
