package actors

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// attention is which topics streams show, on this node and, as far as they have told, on others. The broadcaster and what other
// nodes say change it; whoever runs a job asks it. An answer costs a few lookups and no lock, and none while nobody watches at all.
type attention struct {
	own  sync.Map // Topic -> struct{}
	owns atomic.Int64

	far      sync.Map // Topic -> *atomic.Int64: until when (Unix nanoseconds)
	fars     atomic.Int64
	farUntil atomic.Int64 // until when any of far may count
	all      atomic.Int64 // until when another node shows more than it could tell

	news chan struct{} // holds one: there is something that other nodes don't know
}

const (
	// attentionSpan is how long another node's word counts.
	attentionSpan = 10 * time.Second
	// maxAttention bounds the topics of other nodes; beyond it everything counts as watched.
	maxAttention = 50_000
)

// begin notes a topic that a stream of this node shows.
func (at *attention) begin(t Topic) {
	if t.Kind == TopicStats {
		return
	}
	if _, known := at.own.LoadOrStore(t, struct{}{}); !known {
		at.owns.Add(1)
		select {
		case at.news <- struct{}{}:
		default:
		}
	}
}

// end forgets a topic that no stream of this node shows any more.
func (at *attention) end(t Topic) {
	if _, known := at.own.LoadAndDelete(t); known {
		at.owns.Add(-1)
	}
}

// told is what this node tells others: its topics, or that they are too many.
func (at *attention) told() (topics []string, all bool) {
	if at.owns.Load() > persistence.MaxPresenceTopics {
		return nil, true
	}
	at.own.Range(func(t, _ any) bool {
		topics = append(topics, t.(Topic).String())
		return len(topics) < persistence.MaxPresenceTopics
	})
	return topics, false
}

// hear takes what another node shows.
func (at *attention) hear(p *persistence.Presence, now time.Time) {
	if p == nil {
		return
	}
	until := now.Add(attentionSpan).UnixNano()
	if p.All {
		at.all.Store(until)
	}
	for i, said := range p.Topics {
		t, err := ParseTopic(said)
		if err != nil || i >= persistence.MaxPresenceTopics {
			continue
		}
		at.farUntil.Store(until)
		if at.fars.Load() >= maxAttention {
			at.all.Store(until)
			return
		}
		mark, known := at.far.LoadOrStore(t, new(atomic.Int64))
		if !known {
			at.fars.Add(1)
		}
		mark.(*atomic.Int64).Store(until)
	}
}

// forget drops what was not said again.
func (at *attention) forget(now time.Time) {
	at.far.Range(func(t, mark any) bool {
		if mark.(*atomic.Int64).Load() < now.UnixNano() {
			at.far.Delete(t)
			at.fars.Add(-1)
		}
		return true
	})
}

// watched says whether any stream shows the job, as far as this node knows.
func (at *attention) watched(j *job.Job) bool {
	now := time.Now().UnixNano()
	if at.all.Load() > now {
		return true
	}
	near, far := at.owns.Load() > 0, at.farUntil.Load() > now
	if !near && !far {
		return false
	}
	shown := func(t Topic) bool {
		if near {
			if _, ok := at.own.Load(t); ok {
				return true
			}
		}
		if far {
			if mark, ok := at.far.Load(t); ok {
				return mark.(*atomic.Int64).Load() > now
			}
		}
		return false
	}
	return shown(Topic{Kind: TopicAll}) || shown(Topic{TopicQueue, j.Queue}) ||
		j.Owner != "" && shown(Topic{TopicOwner, j.Owner}) || j.Batch != "" && shown(Topic{TopicBatch, j.Batch}) ||
		shown(Topic{TopicJob, j.ID.String()})
}

// progressPace is how long to wait between two publications of a job's progress.
func (a *App) progressPace(j *job.Job) time.Duration {
	if a.attention.watched(j) {
		return progressEvery
	}
	return persistEvery
}
