package actors

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// NodeInfo is a node as others hear of it.
type NodeInfo struct {
	Name        string      `json:"name"`
	Self        bool        `json:"self"`              // the one that answers
	Incarnation int64       `json:"incarnation"`       // grows with each start, and each return from the dead, of any node; 0 if it has none
	Address     string      `json:"address,omitempty"` // of its remoting; empty if it has none
	State       NodeState   `json:"state"`
	StartedAt   time.Time   `json:"started_at"`
	LastSeen    time.Time   `json:"last_seen"` // of a fallen one: when it was declared dead
	Version     string      `json:"version"`
	Actors      int         `json:"actors"` // job actors
	Draining    bool        `json:"draining,omitempty"`
	Queues      []NodeQueue `json:"queues"`
	// Store and Inbox are how the node fares with its servers.
	Store ServerState `json:"store"`
	Inbox ServerState `json:"inbox"`
	// At is when this was told, by the node's own clock.
	At time.Time `json:"at,omitzero"`
}

// NodeState is what a node is to the others.
type NodeState string

const (
	// NodeAlive: it beats.
	NodeAlive NodeState = "alive"
	// NodeDraining: it beats, and takes no new work.
	NodeDraining NodeState = "draining"
	// NodeFallen: it was declared dead, and its jobs are being adopted.
	NodeFallen NodeState = "fallen"
)

// NodeQueue is how busy a node is with one queue.
type NodeQueue struct {
	Name    string `json:"name"`
	Running int    `json:"running"` // handlers, as of the last word
	Limit   int    `json:"limit"`
}

// Nodes are this node and all others that live or have just fallen, by name: read now if they can be, else as they were last read.
func (a *App) Nodes(ctx context.Context) []NodeInfo {
	if a.config.Members == nil {
		return []NodeInfo{a.self()}
	}
	v, err := a.views.get(ctx, a, "members", a.readView)
	if err != nil {
		a.log.Debug("the list of nodes can't be read: it is told as it was", "error", err)
		v = a.lastRead()
	} else {
		a.membership.learn(v)
	}
	self := a.self()
	all := []NodeInfo{self}
	if v != nil {
		all = append(all, v.nodes...)
	}
	all = append(slices.DeleteFunc(all[1:], func(n NodeInfo) bool { return n.Name == self.Name }), self)
	slices.SortFunc(all, func(x, y NodeInfo) int { return cmp.Compare(x.Name, y.Name) })
	return all
}

// self is what this node tells of itself.
func (a *App) self() NodeInfo {
	now := time.Now().UTC()
	n := NodeInfo{
		Name: a.config.Node, Self: true, Incarnation: a.incarnation.Load(), Address: a.address(), State: NodeAlive,
		StartedAt: a.started, LastSeen: now, At: now, Version: a.config.Version, Actors: int(gaugeValue(a.metrics.actors)),
		Draining: a.state.Load() != appOpen, Store: a.storeHealth.told(), Inbox: a.inboxHealth.told(),
	}
	if n.Draining {
		n.State = NodeDraining
	}
	for name, q := range a.queues {
		n.Queues = append(n.Queues, NodeQueue{name, a.running(name), cmp.Or(a.settings.get(name).Concurrency, q.Concurrency)})
	}
	slices.SortFunc(n.Queues, func(x, y NodeQueue) int { return cmp.Compare(x.Name, y.Name) })
	return n
}

// nodeOf is a member as it told of itself. What can't be read is left out: a node of another version may tell other things.
func nodeOf(name string, info json.RawMessage, seen time.Time) NodeInfo {
	var n NodeInfo
	if json.Unmarshal(info, &n) != nil {
		n = NodeInfo{}
	}
	n.Name, n.Self, n.LastSeen, n.State = name, false, seen.UTC(), NodeAlive
	if n.Draining {
		n.State = NodeDraining
	}
	if n.Queues == nil {
		n.Queues = []NodeQueue{}
	}
	return n
}

func nodeOfMember(m *persistence.Member) NodeInfo {
	n := nodeOf(m.Name, m.Info, m.Seen)
	n.Incarnation, n.Address, n.StartedAt = m.Incarnation, m.Address, m.Started
	return n
}

func nodeOfFallen(f *persistence.Fallen) NodeInfo {
	n := nodeOf(f.Name, f.Info, f.Since)
	n.State = NodeFallen
	return n
}

func (a *App) running(queue string) int {
	return max(int(gaugeValue(a.metrics.running.WithLabelValues(queue))), 0)
}

// runningEverywhere sums over all nodes that are known.
func (a *App) runningEverywhere(queue string) int {
	n := a.running(queue)
	for _, peer := range a.peersNow() {
		for _, q := range peer.Queues {
			if q.Name == queue {
				n += q.Running
			}
		}
	}
	return n
}

// live sums over the other nodes that live and do not drain: how many there are, and the handlers they run at once for the queue.
func (a *App) live(queue string) (nodes, limit int) {
	for _, n := range a.peersNow() {
		if n.Draining {
			continue
		}
		nodes++
		for i := range n.Queues {
			if n.Queues[i].Name == queue {
				limit += n.Queues[i].Limit
			}
		}
	}
	return nodes, limit
}
