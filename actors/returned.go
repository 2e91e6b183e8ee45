package actors

import (
	"context"
	"time"
)

// A node that was away (its process was stopped, its machine suspended, its network cut) has to find out before its attempts go on for
// long: their jobs may be others' by now. The fence refuses whatever they would write, but not what they do in the world.

// lookAtClock notices that this goroutine, and so the whole process, did not run for longer than it may be silent. The monotonic clock
// stands still while a machine is suspended, so the wall clock is asked as well; that it was set costs no more than a few renewals.
func (m *membership) lookAtClock() {
	now := time.Now()
	away := max(now.Sub(m.awake), now.Round(0).Sub(m.awake.Round(0)))
	m.awake = now
	if away > m.app.config.Silence {
		m.app.cameBack("it did not run for " + away.Round(time.Millisecond).String())
	}
}

// renewAgain is when the leases of a node that came back are renewed: who adopts its jobs may be at it at that moment.
var renewAgain = []time.Duration{0, time.Second, 3 * time.Second}

// cameBack has all attempts end whose jobs are others' by now, and begins another life among the members.
func (a *App) cameBack(why string) {
	a.metrics.returned.Inc()
	a.log.Warn("this node was away; attempts whose jobs others have adopted end now", "why", why)
	a.loops.Go(func() {
		began := time.Now()
		for _, after := range renewAgain {
			if !a.pause(a.background, after-time.Since(began)) {
				return
			}
			for _, intake := range a.intakes {
				intake.renewAll()
			}
		}
	})
	a.rejoin(why)
}

// rejoin draws a new incarnation and takes it on, for as long as it takes.
func (a *App) rejoin(why string) {
	if !a.membership.rejoining.CompareAndSwap(false, true) {
		return // what is under way takes on one that is as new
	}
	if !a.loops.Go(func() {
		defer a.membership.rejoining.Store(false)
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			err := a.drawIncarnation()
			if err == nil {
				break
			}
			a.log.Warn("no new incarnation could be drawn yet; the node goes on under its old one", "error", err)
			if !a.pause(a.background, wait) {
				return
			}
		}
		a.rejoinPeers(why)
	}) {
		a.membership.rejoining.Store(false)
	}
}

func (a *App) drawIncarnation() error {
	ctx, cancel := context.WithTimeout(a.background, a.callTimeout())
	defer cancel()
	n, err := a.config.Store.Incarnation(ctx)
	if err == nil {
		a.incarnation.Store(n)
	}
	return err
}

// pause waits, and says whether the context is still on after it.
func (a *App) pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
