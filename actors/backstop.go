package actors

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// The backstop: now and then, and after a gap, the store is read for what streams show, so that what no message told them reaches
// them all the same.

const (
	backstopEvery = 20 * time.Second // how often the store is read for what is watched

	// topicsPerSweep bounds the lists that one sweep reads to find jobs that nobody was told of. More topics take turns.
	topicsPerSweep = 64
)

func (b *broadcaster) onSweep(m *sweep) {
	if len(b.watches) == 0 || b.draining {
		return
	}
	ids := map[job.ID]struct{}{}
	for w := range b.watches {
		for _, id := range w.live() {
			ids[id] = struct{}{}
		}
	}
	topics := b.lists(m.topics)
	b.app.loops.Go(func() { b.app.sweep(ids, topics) })
}

// lists are the topics whose jobs a sweep looks for, besides those that streams are known to show: all of them after a gap,
// otherwise the next topicsPerSweep.
func (b *broadcaster) lists(all bool) []Topic {
	topics := slices.SortedFunc(maps.Keys(b.topics), sortedTopics)
	topics = slices.DeleteFunc(topics, func(t Topic) bool { return t.Kind == TopicStats })
	if all {
		return topics
	}
	topics = slices.DeleteFunc(topics, func(t Topic) bool { return t.Kind == TopicJob })
	if len(topics) <= topicsPerSweep {
		return topics
	}
	from := b.turn % len(topics)
	b.turn = from + topicsPerSweep
	return append(topics[from:], topics[:from]...)[:topicsPerSweep]
}

// onFound takes what a sweep has read. What is news to a stream had been missed by it, if it happened while every change was kept:
// to a stream that went on where it was, what it was sent long ago is news, too.
func (b *broadcaster) onFound(m *found) {
	for i := range m.views {
		if b.take(&m.views[i]) && m.views[i].UpdatedAt.After(b.attends) {
			b.app.metrics.backstop.Inc()
		}
	}
}

func sortedTopics(x, y Topic) int {
	return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Value, y.Value))
}
