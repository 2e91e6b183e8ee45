package actors

import (
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// extras are what a stream is told besides the states of jobs: statistics, and the places of the jobs that wait. They are
// conflated as states are. The watch's lock guards them.
type extras struct {
	stats   []byte
	statsAt time.Time

	waits  map[job.ID]*waiter  // the jobs shown that wait, at most maxPlaces
	told   map[job.ID]*placing // what was told of them
	places map[job.ID]*placing // what is to be told
	gone   map[job.ID]struct{} // removed before the snapshot was complete
}

// maxPlaces bounds the waiting jobs of which one stream is told where they stand.
const maxPlaces = 1000

// note takes notice of a state that the stream is about to be shown.
func (e *extras) note(u *Update) {
	if u.waits == nil {
		e.drop(u.View.ID)
		return
	}
	if _, known := e.waits[u.View.ID]; !known && len(e.waits) >= maxPlaces {
		return
	}
	if e.waits == nil {
		e.waits, e.told, e.places = map[job.ID]*waiter{}, map[job.ID]*placing{}, map[job.ID]*placing{}
	}
	e.waits[u.View.ID] = u.waits
}

func (e *extras) drop(id job.ID) {
	delete(e.waits, id)
	delete(e.told, id)
	delete(e.places, id)
}

// remove notes a removal.
func (e *extras) remove(id job.ID, complete bool) {
	e.drop(id)
	if complete {
		return
	}
	if e.gone == nil {
		e.gone = map[job.ID]struct{}{}
	}
	if len(e.gone) < maxGone {
		e.gone[id] = struct{}{}
	}
}

// offerStats hands the stream the latest statistics, at most once a second.
func (w *watch) offerStats(data []byte, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.statsAt) < glanceEvery*9/10 {
		return
	}
	w.stats, w.statsAt = data, now
	w.wake()
}

// offerPlaces hands the stream the places that are news to it.
func (w *watch) offerPlaces(all map[job.ID]*placing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	news := false
	for id := range w.waits {
		p := all[id]
		if p == nil {
			continue
		}
		if told := w.told[id]; told == nil || p.place.differs(&told.place) {
			w.told[id], w.places[id] = p, p
			news = true
		}
	}
	if news {
		w.wake()
	}
}

// glance adds the waiting jobs that the stream shows, and says for how long the oldest state has waited to be taken.
func (w *watch) glance(now time.Time, waiting map[job.ID]*waiter) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, one := range w.waits {
		waiting[id] = one
	}
	if len(w.slots) == 0 || !w.ready {
		return 0
	}
	return now.Sub(w.since)
}

// takeExtras empties them into the batch.
func (w *watch) takeExtras(b *Batch) {
	b.Stats, w.stats = w.stats, nil
	for _, p := range w.places {
		b.Places = append(b.Places, p.data)
	}
	clear(w.places)
}
