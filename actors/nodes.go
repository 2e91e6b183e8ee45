package actors

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// NodeInfo is a node as others hear of it.
type NodeInfo struct {
	Name      string      `json:"name"`
	Self      bool        `json:"self"` // the one that answers
	StartedAt time.Time   `json:"started_at"`
	LastSeen  time.Time   `json:"last_seen"`
	Version   string      `json:"version"`
	Actors    int         `json:"actors"` // job actors
	Draining  bool        `json:"draining,omitempty"`
	Queues    []NodeQueue `json:"queues"`
}

// NodeQueue is how busy a node is with one queue.
type NodeQueue struct {
	Name    string `json:"name"`
	Running int    `json:"running"` // handlers, as of the last word
	Limit   int    `json:"limit"`
}

const (
	tellEvery  = 3 * time.Second
	forgetNode = 30 * time.Second // a node of which nothing is heard for that long is not shown any more
	maxNodes   = 1000
)

// others are the other nodes, as they were last heard of.
type others struct {
	mu    sync.Mutex
	known map[string]NodeInfo
}

func (p *others) put(n NodeInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(n.LastSeen)
	if p.known == nil {
		p.known = map[string]NodeInfo{}
	}
	if _, ok := p.known[n.Name]; ok || len(p.known) < maxNodes {
		p.known[n.Name] = n
	}
}

func (p *others) remove(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.known, name)
}

func (p *others) list(now time.Time) []NodeInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(now)
	all := make([]NodeInfo, 0, len(p.known)+1)
	for _, n := range p.known {
		all = append(all, n)
	}
	return all
}

func (p *others) forget(now time.Time) {
	for name, n := range p.known {
		if now.Sub(n.LastSeen) > forgetNode {
			delete(p.known, name)
		}
	}
}

// Nodes are this node and those that it has heard of in the last half minute, by name.
func (a *App) Nodes() []NodeInfo {
	now := time.Now().UTC()
	self := a.self()
	self.Self, self.LastSeen = true, now
	all := append(a.others.list(now), self)
	slices.SortFunc(all, func(x, y NodeInfo) int { return cmp.Compare(x.Name, y.Name) })
	return all
}

func (a *App) self() NodeInfo {
	n := NodeInfo{
		Name: a.config.Node, StartedAt: a.started, Version: a.config.Version, Actors: int(gaugeValue(a.metrics.actors)),
		Draining: a.state.Load() != appOpen,
	}
	for name, q := range a.queues {
		n.Queues = append(n.Queues, NodeQueue{name, a.running(name), cmp.Or(a.settings.get(name).Concurrency, q.Concurrency)})
	}
	slices.SortFunc(n.Queues, func(x, y NodeQueue) int { return cmp.Compare(x.Name, y.Name) })
	return n
}

func (a *App) running(queue string) int {
	return max(int(gaugeValue(a.metrics.running.WithLabelValues(queue))), 0)
}

// runningEverywhere sums over all nodes that are known.
func (a *App) runningEverywhere(queue string) int {
	n := a.running(queue)
	for _, peer := range a.others.list(time.Now()) {
		for _, q := range peer.Queues {
			if q.Name == queue {
				n += q.Running
			}
		}
	}
	return n
}

// tellOfNode tells the others every few seconds that this node is there, and at last that it goes.
func (a *App) tellOfNode(ctx context.Context) error {
	ticks := time.NewTicker(tellEvery)
	defer ticks.Stop()
	for {
		a.tell(ctx, persistence.SignalNode, "", a.self())
		select {
		case <-ticks.C:
		case <-ctx.Done():
			a.tell(context.WithoutCancel(ctx), persistence.SignalNode, "", nil)
			return nil
		}
	}
}

// tellTimeout bounds one word between nodes, so that a bus that is down holds up nothing.
const tellTimeout = time.Second

// tell says something to other nodes. Nothing depends on its arrival.
func (a *App) tell(ctx context.Context, topic persistence.SignalTopic, to string, what any) {
	data, err := json.Marshal(what)
	if err != nil || len(data) > persistence.MaxSignal {
		a.log.Error("word of this node can't be said", "topic", topic, "bytes", len(data), "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if err := a.config.Bus.Signal(ctx, persistence.Signal{Topic: topic, By: a.config.Node, To: to, Data: data}); err != nil {
		a.log.Debug("other nodes were not told", "topic", topic, "error", err)
	}
}

// heardOfNodes takes what other nodes say of themselves, and ask.
func (a *App) heardOfNodes(s *persistence.Signal) {
	switch {
	case s.By == "" || s.By == a.config.Node || s.To != "" && s.To != a.config.Node:
	case s.Topic == persistence.SignalNode:
		var n *NodeInfo
		if err := json.Unmarshal(s.Data, &n); err != nil {
			a.log.Warn("word of another node can't be read", "from", s.By, "error", err)
		} else if n == nil {
			a.others.remove(s.By)
		} else {
			n.Name, n.LastSeen, n.Self = s.By, time.Now().UTC(), false
			a.others.put(*n)
		}
	case s.Topic == persistence.SignalInspect:
		a.answerInspection(s)
	case s.Topic == persistence.SignalInspected:
		a.asking.answered(s.Data)
	}
}
