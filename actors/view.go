package actors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// view is what this node knows of the members, as of one reading. It is not changed once made.
type view struct {
	read    time.Time
	members []persistence.Member // without what they tell of themselves: that is in nodes
	nodes   []NodeInfo           // the same, and then the fallen
	peers   []NodeInfo           // those of nodes that live and are not this one
	ranks   map[string]int       // duty -> this node's place for it
	ahead   time.Duration        // the list's clock less this node's
}

// readView lists the members.
func (a *App) readView(ctx context.Context) (*view, error) {
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout())
	defer cancel()
	members, err := a.config.Members.List(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the members: %w", err)
	}
	fallen, err := a.config.Members.Fallen(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the fallen: %w", err)
	}
	v := &view{read: time.Now(), members: members, nodes: make([]NodeInfo, 0, len(members)+len(fallen))}
	for i := range members {
		m := &members[i]
		n := nodeOfMember(m)
		v.nodes = append(v.nodes, n)
		m.Info = nil
		if m.Name == a.config.Node {
			v.ahead = m.Seen.Sub(a.membership.beatAt())
			continue
		}
		v.peers = append(v.peers, n)
	}
	for i := range fallen {
		v.nodes = append(v.nodes, nodeOfFallen(&fallen[i]))
	}
	v.ranks = a.ranks(v.peers)
	return v, nil
}

// lastRead is the members as they were last read; nil if they never were.
func (a *App) lastRead() *view { return a.membership.view.Load() }

// currentView is the same while this node is heard itself; nil otherwise, and for a node alone.
func (a *App) currentView() *view {
	if a.config.Members == nil || time.Since(a.membership.beatAt()) > a.config.Silence {
		return nil
	}
	return a.lastRead()
}

// peersNow are the other nodes that live, as they were last read.
func (a *App) peersNow() []NodeInfo {
	if v := a.currentView(); v != nil {
		return v.peers
	}
	return nil
}

// knows says whether a node of that name lives, as far as this one knows.
func (a *App) knows(node string) bool {
	return slices.ContainsFunc(a.peersNow(), func(n NodeInfo) bool { return n.Name == node })
}

const (
	// viewEvery is how old the view may be, and viewEach how much older for each member there is: many nodes read less often, so that
	// together they do not read more than the list can bear.
	viewEvery = 2 * time.Second
	viewEach  = 20 * time.Millisecond
	// viewPause and viewPauseEach are the same for how soon after another it is read anew when somebody has come or gone.
	viewPause     = 200 * time.Millisecond
	viewPauseEach = 2 * time.Millisecond
)

// stale says whether to read the view anew. Changed: somebody has come or gone since.
func (v *view) stale(changed bool, now time.Time) bool {
	if v == nil {
		return true
	}
	wait := viewEvery + viewEach*time.Duration(len(v.members))
	if changed {
		wait = viewPause + viewPauseEach*time.Duration(len(v.members))
	}
	return now.Sub(v.read) >= wait
}
