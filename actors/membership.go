package actors

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// membership keeps this node on the list of members, and knows who else is on it. Each beat tells what the node is and hears whether anybody
// came, went or fell, whether it was itself taken for dead, and whether somebody wants it to drain. What follows from that is done
// beside the beats, which nothing may delay; but for the reading of the list, which is bounded as a beat is.
//
// A list that can't be reached costs nothing but what it is for: this node works by its leases alone, and does all periodic work itself.
type membership struct {
	app  *App
	view atomic.Pointer[view]
	last atomic.Int64 // when the last beat that was answered began, in Unix nanoseconds

	born atomic.Bool // the node's actors live

	// Of the beating goroutine:
	epoch    int64
	awake    time.Time // when it last had a look at the clock
	unheard  bool      // the last beat was not answered
	failures int       // in a row

	seen      map[string]time.Time // when each of the fallen was first seen; of whoever set adopting
	adopting  atomic.Bool
	rejoining atomic.Bool
	stop      context.CancelFunc
	stopped   sync.WaitGroup
}

const (
	// beatEvery is how often a node says that it lives.
	beatEvery = 500 * time.Millisecond
	// DefaultSilence is after which silence a node is declared dead, where nothing tells so sooner.
	DefaultSilence = 5 * time.Second
	// maxSilence bounds what may be configured.
	maxSilence = 10 * time.Minute
)

// callTimeout bounds each call of a beat, so that a list that hangs does not make the node seem dead.
func (a *App) callTimeout() time.Duration { return a.config.Silence / 4 }

// beatAt is when the last beat that was answered began.
func (m *membership) beatAt() time.Time { return time.Unix(0, m.last.Load()) }

// join makes this node a member. Its first beat is waited for, not for long: what it hears spares the node work that is others' duty.
func (a *App) join(ctx context.Context) {
	m := &a.membership
	if a.config.Members == nil {
		return
	}
	if a.incarnation.Load() == 0 {
		a.rejoin("")
	}
	m.awake = time.Now()
	m.beat(ctx)
}

// begin has the node go on beating.
func (m *membership) begin() {
	if m.app.config.Members == nil {
		return
	}
	m.born.Store(true)
	ctx, stop := context.WithCancel(m.app.background)
	m.stop = stop
	m.stopped.Go(func() { m.run(ctx) })
}

// leave takes the node off the list: it holds nothing any more.
func (a *App) leave(ctx context.Context) {
	if a.config.Members == nil {
		return
	}
	a.membership.end()
	ctx, cancel := context.WithTimeout(ctx, a.callTimeout())
	defer cancel()
	if err := a.config.Members.Leave(ctx, a.config.Node); err != nil {
		a.log.Warn("this node could not take leave; it is taken for dead a little later", "error", err)
	}
}

// end ends the beats.
func (m *membership) end() {
	if m.stop != nil {
		m.stop()
		m.stopped.Wait()
	}
}

func (m *membership) run(ctx context.Context) {
	ticks := time.NewTicker(beatEvery)
	defer ticks.Stop()
	for {
		m.lookAtClock()
		m.beat(ctx)
		m.judge(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// beat says that this node lives, and takes the answer.
func (m *membership) beat(ctx context.Context) {
	a := m.app
	self := a.self()
	info, err := json.Marshal(&self)
	if err != nil || len(info) > persistence.MaxMemberInfo {
		a.log.Error("what this node is can't be told", "bytes", len(info), "error", err)
		info = nil
	}
	began := time.Now()
	call, cancel := context.WithTimeout(ctx, a.callTimeout())
	roll, err := a.config.Members.Beat(call, persistence.Member{
		Name: self.Name, Incarnation: self.Incarnation, Address: self.Address, Started: self.StartedAt, Info: info,
	}, a.config.Silence)
	cancel()
	m.lookAtClock()
	if m.unheard = err != nil; m.unheard {
		if ctx.Err() == nil {
			m.complain("this node's beat was not heard", err)
		}
		return
	}
	m.last.Store(began.UnixNano())
	if roll.Returned {
		a.cameBack("it was declared dead, and lives")
	}
	if v := m.view.Load(); v.stale(roll.Epoch != m.epoch, time.Now()) {
		m.look(ctx, roll.Epoch)
	} else {
		m.failures = 0
	}
	if roll.Fallen && m.born.Load() {
		m.adopt(ctx)
	}
	if roll.DrainBy != "" {
		_ = a.drainAsked("", roll.DrainBy)
	}
}

// look reads the view anew.
func (m *membership) look(ctx context.Context, epoch int64) {
	v, err := m.app.readView(ctx)
	m.lookAtClock()
	if err != nil {
		m.complain("this node does not know who else there is", err)
		return
	}
	m.failures = 0
	m.epoch = epoch
	m.learn(v)
	m.app.updatePeers(v)
}

// learn takes a view on, unless there is a newer one.
func (m *membership) learn(v *view) {
	for {
		old := m.view.Load()
		if old != nil && !v.read.After(old.read) || m.view.CompareAndSwap(old, v) {
			return
		}
	}
}

// complain warns of the first failure in a row, and of every twentieth.
func (m *membership) complain(what string, err error) {
	m.failures++
	if m.failures%20 == 1 {
		m.app.log.Warn(what+"; it works by its leases alone", "error", err)
	}
}
