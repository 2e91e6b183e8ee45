package actors

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// statistics is the event "stats": how all is, at one moment.
type statistics struct {
	At     time.Time    `json:"at"`
	Node   string       `json:"node"`
	Nodes  int          `json:"nodes"` // that live, this one included
	Queues []queueStats `json:"queues"`
	Totals queueCounts  `json:"totals"`
	State  nodeState    `json:"node_state"`
}

// queueStats is one queue, over all nodes.
type queueStats struct {
	Name string `json:"name"`
	queueCounts
	OldestAge   float64 `json:"oldest_age_s"`
	Paused      bool    `json:"paused"`
	Concurrency int     `json:"concurrency"`     // handlers that run at once on all nodes; 0 if paused
	Stale       bool    `json:"stale,omitempty"` // the inbox does not answer: the counts are the last known
}

type queueCounts struct {
	Waiting    int64   `json:"waiting"`
	Processing int64   `json:"processing"`
	Delayed    int64   `json:"delayed"`
	Dead       int64   `json:"dead"`
	Started    float64 `json:"started_per_s"`
	Completed  float64 `json:"completed_per_s"`
	Failed     float64 `json:"failed_per_s"`
}

// nodeState is of the node that tells.
type nodeState struct {
	Actors  int     `json:"actors"`
	Streams int     `json:"streams"`
	Pending int     `json:"write_pending"`
	Lag     float64 `json:"write_lag_s"`
}

// tally counts what the broadcaster hears, by queue and second. There is one only while somebody watches statistics.
type tally struct {
	began  time.Time
	queues map[string]*[rateSpan + 1]tallied
}

type tallied struct {
	second                     int64
	started, completed, failed int
}

const (
	// rateSpan is over how many seconds rates are told.
	rateSpan = 5
	// tallyFresh is how old a change may be that counts as of now: what is read again later is not.
	tallyFresh = 10 * time.Second
)

func newTally(queues map[string]Queue) *tally {
	t := &tally{began: time.Now(), queues: make(map[string]*[rateSpan + 1]tallied, len(queues))}
	for name := range queues {
		t.queues[name] = new([rateSpan + 1]tallied)
	}
	return t
}

// count notes what is new in a state; known is the one before, if that is known.
func (t *tally) count(known *job.View, v *job.View, now time.Time) {
	ring := t.queues[v.Queue]
	if ring == nil {
		return
	}
	at := &ring[now.Unix()%int64(len(ring))]
	if at.second != now.Unix() {
		*at = tallied{second: now.Unix()}
	}
	if !v.StartedAt.IsZero() && now.Sub(v.StartedAt) < tallyFresh && (known == nil || !known.StartedAt.Equal(v.StartedAt)) {
		at.started++
	}
	if v.Terminal && now.Sub(v.CompletedAt) < tallyFresh && (known == nil || !known.Terminal || known.Run != v.Run) {
		switch v.Status {
		case job.Completed:
			at.completed++
		case job.Failed:
			at.failed++
		}
	}
}

// rates are those of the last whole seconds.
func (t *tally) rates(queue string, now time.Time) (c queueCounts) {
	second := now.Unix()
	span := float64(min(max(second-t.began.Unix(), 1), rateSpan))
	for _, at := range t.queues[queue] {
		if at.second < second && at.second >= second-rateSpan {
			c.Started += float64(at.started) / span
			c.Completed += float64(at.completed) / span
			c.Failed += float64(at.failed) / span
		}
	}
	return c
}

// statistics reads what there is to tell. Rates and the number of streams are the broadcaster's.
func (a *App) statistics(ctx context.Context, rates map[string]queueCounts, streams int) []byte {
	nodes, _ := a.live("")
	s := statistics{At: time.Now().UTC(), Node: a.config.Node, Nodes: nodes + 1, Queues: make([]queueStats, len(rates))}
	s.State = nodeState{int(gaugeValue(a.metrics.actors)), streams, int(gaugeValue(a.metrics.pending)), gaugeValue(a.metrics.lag)}
	names := make([]string, 0, len(rates))
	for name := range rates {
		names = append(names, name)
	}
	slices.Sort(names)
	var reads sync.WaitGroup
	for i, name := range names { // MaxQueues at most
		reads.Go(func() { s.Queues[i] = a.queueStats(ctx, name, rates[name]) })
	}
	reads.Wait()
	for _, q := range s.Queues {
		s.Totals.add(q.queueCounts)
	}
	data, err := json.Marshal(&s)
	if err != nil {
		a.log.Error("statistics can't be encoded", "error", err)
		return nil
	}
	return data
}

func (a *App) queueStats(ctx context.Context, name string, counts queueCounts) queueStats {
	q := queueStats{Name: name, queueCounts: counts, Paused: a.settings.get(name).Paused, Concurrency: a.slots(name)}
	depth, err := a.depthOf(ctx, name)
	if err != nil {
		q.Stale = true
		last, _ := a.lastDepths.Load(name)
		depth, _ = last.(persistence.Depth)
	} else {
		a.lastDepths.Store(name, depth)
	}
	q.Waiting, q.Processing, q.Delayed, q.Dead = depth.Waiting, depth.Leased, depth.Delayed, depth.Dead
	if !depth.Oldest.IsZero() {
		q.OldestAge = max(time.Since(depth.Oldest).Round(time.Millisecond).Seconds(), 0)
	}
	return q
}

func (c *queueCounts) add(of queueCounts) {
	c.Waiting += of.Waiting
	c.Processing += of.Processing
	c.Delayed += of.Delayed
	c.Dead += of.Dead
	c.Started += of.Started
	c.Completed += of.Completed
	c.Failed += of.Failed
}
