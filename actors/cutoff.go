package actors

import (
	"context"
	"time"
)

// A store that is down stops nobody: results wait, and handlers go on. But a node that alone has lost its store holds jobs which others could
// run and record. It hands them back, and claims none until the store answers it again. Likewise a node that reaches nothing and nobody any
// more: its leases end, and others have its jobs.

// cut is what a node is cut off from.
type cut int32

const (
	cutNothing cut = iota
	cutStore       // the store, which answers others
	cutAll         // everything
)

const (
	// minCut is the least time for which something must have failed, however short a lease is: what others tell of themselves is that old.
	minCut = 3 * time.Second
	// cutLook is how often the list is read to see how others fare while the store fails.
	cutLook = 2 * time.Second
	// peersAsked bounds how many others are asked before a node believes that it is alone.
	peersAsked = 3
	// peerTimeout bounds asking one.
	peerTimeout = time.Second
)

// barred says whether the node must not claim.
func (a *App) barred() bool { return cut(a.cut.Load()) != cutNothing }

// cutAfter is how long something must have failed before a node acts on it.
func (a *App) cutAfter() time.Duration { return max(a.config.Lease, minCut) }

// judge looks whether this node is cut off, after each beat.
func (m *membership) judge(ctx context.Context) {
	a, now := m.app, time.Now()
	store, inbox := a.storeHealth.failing(now), a.inboxHealth.failing(now)
	after := a.cutAfter()
	is := cutNothing
	switch was := cut(a.cut.Load()); {
	case store == 0 || store < after:
	case inbox == 0 && (was == cutStore || m.othersReachStore(ctx, now)):
		is = cutStore
	case inbox == 0 && !m.unheard: // the store is down for all
	case inbox >= after && m.unheard && now.Sub(m.beatAt()) >= after && (was == cutAll || m.alone(ctx)):
		is = cutAll
	case was != cutNothing:
		is = was // what is in between is not judged anew
	}
	was := cut(a.cut.Swap(int32(is)))
	switch {
	case is == was && is != cutNothing:
		a.supervisor.giveUp() // what had been claimed before it was barred
	case is == cutNothing && was != cutNothing:
		a.log.Warn("this node is not cut off any more; it claims again")
	case is == cutStore:
		a.metrics.cutOff.WithLabelValues("store").Inc()
		a.log.Error("the store has long not answered this node, and answers others: its running jobs are handed back, and it claims none until the store answers",
			"for", store.Round(time.Millisecond))
		a.supervisor.giveUp()
	case is == cutAll:
		a.metrics.cutOff.WithLabelValues("all").Inc()
		a.log.Error("this node has long reached neither inbox, store nor any other node: others have its jobs by now, so its attempts end",
			"for", min(store, inbox).Round(time.Millisecond))
		a.supervisor.giveUp()
	}
}

// othersReachStore says whether the store has answered another node all the while. What they told a while ago does not count.
func (m *membership) othersReachStore(ctx context.Context, now time.Time) bool {
	v := m.view.Load()
	if v == nil || m.unheard || len(v.peers) == 0 {
		return false
	}
	if now.Sub(v.read) > cutLook {
		m.look(ctx, m.epoch)
		v = m.view.Load()
	}
	for i := range v.peers {
		if p := &v.peers[i]; now.Sub(v.read) <= cutLook && v.fresh(p) && p.storeWellFor() >= m.app.cutAfter() {
			return true
		}
	}
	return false
}

// fresh says whether the node was heard of just before the view was read. Both times are the list's.
func (v *view) fresh(n *NodeInfo) bool {
	return v.read.Add(v.ahead).Sub(n.LastSeen) < cutLook
}

// alone says whether there were others when the list was last read, and none of them answers. Without remoting none can.
func (m *membership) alone(ctx context.Context) bool {
	v := m.view.Load()
	if v == nil || len(v.peers) == 0 {
		return false
	}
	asked := 0
	for i := range v.peers {
		if v.peers[i].Address == "" || asked == peersAsked {
			continue
		}
		asked++
		answers := m.app.reaches(ctx, v.peers[i].Name)
		m.lookAtClock()
		if answers {
			return false
		}
	}
	return true
}
