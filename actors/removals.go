package actors

import (
	"slices"
	"sort"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// removal is a job that is gone, numbered as changes are, so that a stream that goes on where it stood is told of it, too.
type removal struct {
	Removal
	seq    int64
	topics []Topic // that showed it, as far as is known
}

const (
	// goneFor is how long a removed job is remembered for sure, so that what was read before its removal does not bring it back.
	goneFor = 30 * time.Second
	maxGone = 20_000
)

func (b *broadcaster) onPurged(m *purged) {
	for _, id := range m.ids {
		b.forget(id)
		for w := range b.watches {
			w.remove(Removal{ID: id, Reason: "purged"})
		}
	}
	if !m.tell {
		return
	}
	var signals []persistence.Signal
	for batch := range slices.Chunk(m.ids, persistence.MaxBatch) {
		signals = append(signals, persistence.Signal{Topic: persistence.SignalRemoved, Jobs: batch})
	}
	b.app.loops.Go(func() { b.app.tellRemoved(signals) })
}

// forget numbers the removal and keeps it, unless nobody will come back who could want to know.
func (b *broadcaster) forget(id job.ID) {
	if b.idle() {
		b.skip(1)
		return
	}
	b.seq++
	gone := removal{Removal: Removal{ID: id, Reason: "purged"}, seq: b.seq, topics: []Topic{{Kind: TopicAll}, {TopicJob, id.String()}}}
	if u := b.latest[id]; u != nil {
		gone.Rev, gone.topics = u.View.Version, topicsOf(u.View)
		delete(b.latest, id)
	}
	b.removals = append(b.removals, gone)
	if len(b.removals) > 2*maxGone {
		b.floor = max(b.floor, b.removals[maxGone-1].seq)
		b.removals = slices.Clone(b.removals[maxGone:])
	}
	if len(b.gone) < maxGone {
		b.gone[id] = time.Now()
	}
}

// replayRemovals tells a stream that goes on of what is gone since.
func (b *broadcaster) replayRemovals(w *watch, since int64) {
	from := sort.Search(len(b.removals), func(i int) bool { return b.removals[i].seq > since })
	for i := range b.removals[from:] {
		gone := &b.removals[from+i]
		if slices.ContainsFunc(gone.topics, func(t Topic) bool { _, shown := w.topics[t]; return shown }) {
			w.removeUnseen(gone.Removal)
		}
	}
}
