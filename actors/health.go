package actors

import (
	"context"
	"sync"
	"time"
)

// ServerState is how a node fares with one of its servers.
type ServerState struct {
	Well  bool      `json:"well"`
	Since time.Time `json:"since"` // by the node's own clock
}

// health is whether a server answers this node, as its calls turn out.
type health struct {
	mu      sync.Mutex
	well    bool
	since   time.Time // when the present state began
	success time.Time // when the last call that succeeded had begun
}

func (h *health) begin(now time.Time) { h.well, h.since, h.success = true, now, now }

// note takes how a call turned out, and says whether the state has changed with it. A failure says nothing if a call that began later
// has succeeded.
func (h *health) note(began time.Time, err error) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case err == nil:
		if began.After(h.success) {
			h.success = began
		}
		if h.well {
			return false
		}
		h.well, h.since = true, time.Now()
		return true
	case !h.well || began.Before(h.success):
		return false
	}
	h.well, h.since = false, began
	return true
}

// failing is for how long no call has succeeded; 0 while all is well.
func (h *health) failing(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.well {
		return 0
	}
	return max(now.Sub(h.since), 1)
}

// silent is how long ago the last call that succeeded had begun.
func (h *health) silent(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return now.Sub(h.success)
}

func (h *health) told() ServerState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ServerState{Well: h.well, Since: h.since.UTC()}
}

// storeWellFor is for how long the server had been well when the node told of it.
func (n *NodeInfo) storeWellFor() time.Duration {
	if !n.Store.Well || n.At.IsZero() {
		return 0
	}
	return n.At.Sub(n.Store.Since)
}

const (
	// probeEvery is how often the store is asked whether it can commit, while no commit tells.
	probeEvery = 2 * time.Second
	// probeTimeout bounds the question.
	probeTimeout = 2 * time.Second
)

// probeStore keeps it known whether the store answers this node.
func (a *App) probeStore(ctx context.Context) error {
	if a.config.Members == nil {
		<-ctx.Done() // nobody asks
		return nil
	}
	every := min(probeEvery, a.config.Lease/4)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		began := time.Now()
		if a.storeHealth.silent(began) < every {
			continue
		}
		call, cancel := context.WithTimeout(ctx, min(probeTimeout, a.config.Lease/4))
		err := a.config.Store.Ping(call)
		cancel()
		if ctx.Err() == nil {
			a.storeHealth.note(began, err)
		}
	}
}
