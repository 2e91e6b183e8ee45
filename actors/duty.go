package actors

import (
	"hash/fnv"
	"slices"
)

// Periodic work is safe to do on every node, and is shared out only to save it: for each duty the members who could do it are put in an
// order of their own by a hash, the first does it each time, the second now and then, and all others as the backstop. Nobody is
// told or asked: nodes that see the same members come to the same order, and while they do not, work is done twice, or by the backstop.

// Duties besides the queues' own.
const (
	dutyQueue = "queue/" // and a queue's name: its due jobs, its ended leases
	dutyWalk  = "walk"   // the reconciler's walk over the store
	dutyPrune = "prune"  // what is past its retention
	dutyAdopt = "adopt/" // and a fallen node's name: its leases
)

// How many times more rarely than the first a node does what is another's duty.
const (
	secondPace   = 4
	backstopPace = 20
)

// pace is how many times more rarely than always this node does what is to be done: 1 if the duty is its own, or if it does not
// know whose it is.
func (a *App) pace(duty string) int {
	v := a.currentView()
	if v == nil {
		return 1
	}
	switch v.ranks[duty] {
	case 0:
		return 1
	case 1:
		return secondPace
	}
	return backstopPace
}

// ranks are this node's places for all duties but those of adoption.
func (a *App) ranks(peers []NodeInfo) map[string]int {
	ranks := make(map[string]int, len(a.queues)+2)
	for name := range a.queues {
		ranks[dutyQueue+name] = a.rank(dutyQueue+name, peers, func(n *NodeInfo) bool { return n.serves(name) })
	}
	// Who walks puts back the jobs of its own queues only: so somebody else's walk will do only if that serves all of them.
	ranks[dutyWalk] = a.rank(dutyWalk, peers, func(n *NodeInfo) bool {
		for name := range a.queues {
			if !n.serves(name) {
				return false
			}
		}
		return true
	})
	ranks[dutyPrune] = a.rank(dutyPrune, peers, func(*NodeInfo) bool { return true })
	return ranks
}

// rank is this node's place for a duty among the peers who could do it: 0 is the first.
func (a *App) rank(duty string, peers []NodeInfo, could func(*NodeInfo) bool) (before int) {
	own := weight(duty, a.config.Node)
	for i := range peers {
		w := weight(duty, peers[i].Name)
		if could(&peers[i]) && (w > own || w == own && peers[i].Name > a.config.Node) {
			before++
		}
	}
	return before
}

func (n *NodeInfo) serves(queue string) bool {
	return slices.ContainsFunc(n.Queues, func(q NodeQueue) bool { return q.Name == queue })
}

// weight orders the members for a duty, the same on all nodes and in all versions.
func weight(duty, member string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(duty))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(member))
	x := h.Sum64() // names that differ in their last letter only have sums that are near each other
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
