package actors

import (
	"context"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// newsOfLines is which jobs have new lines that other nodes were not told of. Word that is lost, or does not fit, delays
// lines by no more than tailEvery: followers look for themselves.
type newsOfLines struct {
	more chan struct{} // holds one

	mu   sync.Mutex
	jobs map[job.ID]struct{}
}

const (
	newsEvery   = 50 * time.Millisecond // other nodes are told at most this often
	newsTimeout = 2 * time.Second
	maxNews     = 10 * persistence.MaxBatch // jobs that wait to be told of
)

func (n *newsOfLines) add(ids []job.ID) {
	if len(ids) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.jobs == nil {
		n.jobs = make(map[job.ID]struct{}, len(ids))
	}
	for _, id := range ids {
		if len(n.jobs) < maxNews {
			n.jobs[id] = struct{}{}
		}
	}
	poke(n.more)
}

// take takes as many as one signal may carry.
func (n *newsOfLines) take() []job.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	ids := make([]job.ID, 0, min(len(n.jobs), persistence.MaxBatch))
	for id := range n.jobs {
		if len(ids) == persistence.MaxBatch {
			poke(n.more)
			break
		}
		ids = append(ids, id)
		delete(n.jobs, id)
	}
	return ids
}

// tell tells other nodes which jobs have new lines, until the context ends.
func (w *lineWriter) tell(ctx context.Context) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-w.news.more:
		case <-ctx.Done():
			return
		}
		if ids := w.news.take(); len(ids) > 0 {
			call, cancel := context.WithTimeout(ctx, newsTimeout)
			if err := w.app.config.Bus.Signal(call, persistence.Signal{Topic: persistence.SignalLines, Jobs: ids}); err != nil && ctx.Err() == nil {
				w.app.log.Debug("other nodes were not told of new lines; they look for themselves", "jobs", len(ids), "error", err)
			}
			cancel()
		}
		pause.Reset(newsEvery)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}
