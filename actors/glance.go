package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// What the broadcaster looks after once a second, for as long as anybody watches: statistics, the places of waiting jobs, and how
// far behind the slowest stream is.

const glanceEvery = time.Second

type (
	glance   struct{}
	measured struct{ stats []byte }
	placed   struct{ places map[job.ID]*placing }
)

// placing is a place as streams are told of it, shared by all.
type placing struct {
	place Place
	data  []byte
}

func (b *broadcaster) onGlance(c actor.Context, now time.Time) {
	oldest := time.Duration(0)
	waiting := map[job.ID]*waiter{}
	for w := range b.watches {
		oldest = max(oldest, w.glance(now, waiting))
	}
	b.app.metrics.ssePendingAge.Set(oldest.Seconds())
	for id, at := range b.gone {
		if now.Sub(at) > goneFor {
			delete(b.gone, id)
		}
	}
	b.measure(c)
	b.findPlaces(c, waiting)
}

// watchClock runs while anybody watches.
func (b *broadcaster) watchClock(c actor.Context) {
	switch {
	case len(b.watches) > 0 && b.clock == nil:
		b.clock = b.app.timers.SendRepeatedly(glanceEvery, glanceEvery, c.Self(), &glance{})
	case len(b.watches) == 0 && b.clock != nil:
		b.clock()
		b.clock = nil
		b.app.metrics.ssePendingAge.Set(0)
	}
}

// joinStats gives a stream of statistics the last ones, or has them read.
func (b *broadcaster) joinStats(c actor.Context, w *watch) {
	b.stats[w] = struct{}{}
	if b.tally == nil {
		b.tally = newTally(b.app.queues)
	}
	if time.Since(b.statsAt) < glanceEvery {
		w.offerStats(b.lastStats, time.Now())
		return
	}
	b.measure(c)
}

func (b *broadcaster) leaveStats(w *watch) {
	if delete(b.stats, w); len(b.stats) == 0 {
		b.tally, b.lastStats, b.statsAt = nil, nil, time.Time{}
	}
}

// measure has statistics read beside the mailbox, if anybody watches them.
func (b *broadcaster) measure(c actor.Context) {
	if len(b.stats) == 0 || b.measuring {
		return
	}
	now := time.Now()
	rates := make(map[string]queueCounts, len(b.tally.queues))
	for queue := range b.tally.queues {
		rates[queue] = b.tally.rates(queue, now)
	}
	streams, root, self := len(b.watches), c.ActorSystem().Root, c.Self()
	b.measuring = b.app.loops.Go(func() {
		root.Send(self, &measured{b.app.statistics(b.app.background, rates, streams)})
	})
}

func (b *broadcaster) onMeasured(m *measured) {
	b.measuring = false
	if len(b.stats) == 0 || m.stats == nil {
		return
	}
	b.lastStats, b.statsAt = m.stats, time.Now()
	for w := range b.stats {
		w.offerStats(m.stats, b.statsAt)
	}
}

// findPlaces has it found out where waiting jobs stand, of at most maxPlacedQueues queues at a time.
func (b *broadcaster) findPlaces(c actor.Context, waiting map[job.ID]*waiter) {
	if len(waiting) == 0 || b.placing {
		return
	}
	byQueue := map[string][]*waiter{}
	for _, w := range waiting {
		byQueue[w.queue] = append(byQueue[w.queue], w)
	}
	queues := make([]string, 0, len(byQueue))
	for queue := range byQueue {
		queues = append(queues, queue)
	}
	slices.Sort(queues)
	if len(queues) > maxPlacedQueues {
		from := b.placeTurn % len(queues)
		b.placeTurn = from + maxPlacedQueues
		queues = append(queues[from:], queues[:from]...)[:maxPlacedQueues]
	}
	var all []*waiter
	for _, queue := range queues {
		all = append(all, byQueue[queue]...)
	}
	root, self := c.ActorSystem().Root, c.Self()
	b.placing = b.app.loops.Go(func() {
		found := &placed{make(map[job.ID]*placing, len(all))}
		for id, p := range b.app.places(b.app.background, all) {
			found.places[id] = &placing{p, p.encode()}
		}
		root.Send(self, found)
	})
}

func (b *broadcaster) onPlaced(m *placed) {
	b.placing = false
	for w := range b.watches {
		w.offerPlaces(m.places)
	}
}
