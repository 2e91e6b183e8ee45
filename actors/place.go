package actors

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Place is where a waiting job stands, and when it is expected to end.
type Place struct {
	ID job.ID `json:"id"`
	// Reason is position, limit (it is next, and all handlers are busy), paused, scheduled, backoff, or none: it does not wait.
	Reason string `json:"reason"`
	// Position is 1 for the job that is next; null if it is in no line. Capped: that, or further back.
	Position *int       `json:"position"`
	Capped   bool       `json:"capped"`
	Until    *time.Time `json:"until"` // of scheduled and backoff
	ETA      *PlaceETA  `json:"eta_ms"`

	running int64 // jobs of the queue that are leased, on all nodes; -1 if not known
	slots   int   // handlers that run at once, on all nodes
	paused  string
	fault   error // the line, or the depth, could not be read
}

// PlaceETA is how many milliseconds are left until the job is expected to end: half of such jobs end sooner than P50, nine in ten
// sooner than P90.
type PlaceETA struct {
	P50 int64 `json:"p50"`
	P90 int64 `json:"p90"`
}

// waiter is what has to be known of a waiting job to say where it stands.
type waiter struct {
	id       job.ID
	queue    string
	kind     string
	status   job.Status
	until    time.Time
	attempt  int
	attempts int
	failure  string
}

// waiterOf is nil for a job that does not wait.
func waiterOf(v *job.View) *waiter {
	if !v.Status.Waiting() {
		return nil
	}
	w := &waiter{id: v.ID, queue: v.Queue, kind: v.Kind, status: v.Status, until: v.RunAt, attempt: v.Attempt, attempts: v.MaxAttempts}
	if v.Error != nil {
		w.failure = v.Error.Code
	}
	return w
}

// line is which jobs of a queue are before which: positions from 1, at most persistence.MaxWaiting.
type line map[job.ID]int

// lineOf reads a queue's line; at most once a second, for all who ask.
func (a *App) lineOf(ctx context.Context, queue string) (line, error) {
	return a.lines.get(ctx, a, queue, func(ctx context.Context) (line, error) {
		ids, err := a.config.Store.Waiting(ctx, queue, persistence.MaxWaiting)
		if err != nil {
			return nil, err
		}
		positions := make(line, len(ids))
		for i, id := range ids {
			positions[id] = i + 1
		}
		return positions, nil
	})
}

// depthOf counts a queue; at most once a second, for all who ask.
func (a *App) depthOf(ctx context.Context, queue string) (persistence.Depth, error) {
	return a.depths.get(ctx, a, queue, func(ctx context.Context) (persistence.Depth, error) { return a.config.Inbox.Depth(ctx, queue) })
}

// place says where a job stands.
func (a *App) place(ctx context.Context, w *waiter) Place {
	p := Place{ID: w.id, running: -1, slots: a.slots(w.queue)}
	own := a.runTime(ctx, w.kind)
	if w.status != job.Queued && time.Until(w.until) > 0 {
		p.Reason, p.Until = "scheduled", &w.until
		if w.status == job.Retrying {
			p.Reason = "backoff"
		}
		p.expect(own, 0, time.Until(w.until))
		return p
	}
	if s := a.settings.get(w.queue); s.Paused {
		p.Reason, p.paused = "paused", s.Reason
		return p
	}
	p.Reason = "position"
	positions, err := a.lineOf(ctx, w.queue)
	if err != nil {
		p.fault = err
		return p
	}
	at, found := positions[w.id]
	if !found {
		at, p.Capped = len(positions)+1, true
	}
	p.Position = &at
	if depth, err := a.depthOf(ctx, w.queue); err == nil {
		p.running = depth.Leased
		if at == 1 && !p.Capped && p.full() {
			p.Reason = "limit"
		}
	} else {
		p.fault = err
	}
	if p.slots > 0 {
		p.expect(own, float64(at-1)/float64(p.slots), 0)
	}
	return p
}

func (p *Place) full() bool { return p.slots > 0 && p.running >= int64(p.slots) }

// expect sets the ETA: a wait, so many rounds of others, and the run itself.
func (p *Place) expect(run *Estimate, rounds float64, wait time.Duration) {
	if run == nil {
		return
	}
	left := func(d time.Duration) int64 {
		return int64(math.Round((wait + time.Duration((rounds+1)*float64(d))).Seconds() * 1000))
	}
	p.ETA = &PlaceETA{P50: left(run.P50), P90: left(run.P90)}
}

// differs says whether a stream should be told anew. An expectation that only came nearer, or moved a little, is no news.
func (p *Place) differs(from *Place) bool {
	if p.Reason != from.Reason || p.Capped != from.Capped || (p.Position == nil) != (from.Position == nil) ||
		p.Position != nil && *p.Position != *from.Position || (p.Until == nil) != (from.Until == nil) ||
		p.Until != nil && !p.Until.Equal(*from.Until) || (p.ETA == nil) != (from.ETA == nil) {
		return true
	}
	moved := func(now, was int64) bool { return math.Abs(float64(now-was)) > max(500, 0.1*float64(was)) }
	return p.ETA != nil && p.Until == nil && (moved(p.ETA.P50, from.ETA.P50) || moved(p.ETA.P90, from.ETA.P90))
}

func (p *Place) encode() []byte {
	data, err := json.Marshal(p)
	if err != nil {
		panic("actors: a place that can't be encoded: " + err.Error())
	}
	return data
}

// maxPlacedQueues bounds the queues whose lines are read in one second; more take turns.
const maxPlacedQueues = 64

// places says where all of some jobs stand. What can't be told now is left out.
func (a *App) places(ctx context.Context, waiting []*waiter) map[job.ID]Place {
	all := make(map[job.ID]Place, len(waiting))
	for _, w := range waiting {
		if p := a.place(ctx, w); p.fault == nil || p.Position != nil {
			all[w.id] = p
		}
	}
	return all
}
