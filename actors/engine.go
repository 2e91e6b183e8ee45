package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/cluster"
	"github.com/meta-ad-studio/troupe/persistence"
)

// startRemoting has the node listen for others, if it is to. They learn of its address when its actors live.
func (a *App) startRemoting(ctx context.Context) error {
	if a.config.Remote == nil {
		return nil
	}
	config := *a.config.Remote
	config.Node, config.Handle, config.Log = a.config.Node, a.remote, a.log
	engine, err := cluster.Start(ctx, config)
	if err != nil {
		return fmt.Errorf("start remoting: %w", err)
	}
	if list, ok := a.config.Members.(interface{ Bind(r *cluster.Remoting) }); ok {
		list.Bind(engine) // one that is kept over remoting
	}
	a.engine, a.peers = engine, engine
	return nil
}

// rejoinTimeout bounds one try to begin remoting anew.
const rejoinTimeout = 10 * time.Second

// address is where others reach this node; empty if they can't.
func (a *App) address() string {
	if a.engine == nil || !a.membership.born.Load() {
		return ""
	}
	return a.engine.Address()
}

// updatePeers tells remoting who there is.
func (a *App) updatePeers(v *view) {
	if a.engine == nil {
		return
	}
	self := persistence.Member{Name: a.config.Node, Incarnation: a.incarnation.Load(), Address: a.address(), Started: a.started}
	a.engine.Update(self, v.members)
}

// rejoinPeers has remoting begin anew: others have closed to what this node was.
func (a *App) rejoinPeers(why string) {
	if a.engine == nil || why == "" {
		return
	}
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		ctx, cancel := context.WithTimeout(a.background, rejoinTimeout)
		err := a.engine.Rejoin(ctx)
		cancel()
		if err == nil {
			break
		}
		a.log.Warn("this node can't be reached by others yet; commands to it take the slow way", "error", err)
		if !a.pause(a.background, wait) {
			return
		}
	}
	if v := a.lastRead(); v != nil {
		a.updatePeers(v)
	}
}

// reaches says whether another node answers.
func (a *App) reaches(ctx context.Context, node string) bool {
	ctx, cancel := context.WithTimeout(ctx, min(peerTimeout, a.callTimeout()))
	defer cancel()
	_, err := a.askNode(ctx, node, remoteRequest{Op: opPing})
	return err == nil
}
