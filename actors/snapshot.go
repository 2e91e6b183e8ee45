package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Watch gives a stream a place at the broadcaster. Close it when done. ErrClosed while the node drains; ErrInvalid for a
// request out of bounds.
func (a *App) Watch(ctx context.Context, r WatchRequest) (Watching, error) {
	if len(r.Topics) == 0 || len(r.Topics) > MaxTopics {
		return nil, fmt.Errorf("%w: topics: %d, want 1 to %d", ErrInvalid, len(r.Topics), MaxTopics)
	}
	if len(r.Known) > MaxWatchedJobs {
		return nil, fmt.Errorf("%w: known: %d jobs, at most %d", ErrInvalid, len(r.Known), MaxWatchedJobs)
	}
	if !a.open() {
		return nil, ErrClosed
	}
	w := newWatch(a, r)
	joined := &join{w, r, make(chan error, 1)}
	a.system.Root.Send(a.broadcaster.pid, joined)
	select {
	case err := <-joined.reply:
		if err != nil {
			return nil, err
		}
		return w, nil
	case <-ctx.Done():
		w.Close()
		return nil, ctx.Err()
	}
}

const snapshotTimeout = 10 * time.Second

// maxSnapshots bounds how many snapshots are read at once: after a deployment all streams come back together.
const maxSnapshots = 16

// snapshot offers a stream what there was before it came. While the store does not answer, the stream is told so and the
// reading is tried again.
func (a *App) snapshot(w *watch, r WatchRequest, cursor int64) {
	ctx, cancel := context.WithCancel(a.background)
	defer cancel()
	go func() {
		select {
		case <-w.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	select {
	case a.snapshots <- struct{}{}:
		defer func() { <-a.snapshots }()
	case <-ctx.Done():
		return
	}
	topics := slices.Clone(r.Topics)
	for id := range r.Known {
		topics = append(topics, Topic{TopicJob, id.String()})
	}
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		began := time.Now()
		views, err := a.viewsOf(ctx, topics)
		if err == nil {
			a.metrics.sseSnapshot.WithLabelValues("db").Observe(time.Since(began).Seconds())
			if r.Shows != nil {
				views = slices.DeleteFunc(views, func(v job.View) bool { return !r.Shows(&v) })
			}
			a.offerAll(w, views)
			w.completed(cursor)
			return
		}
		if ctx.Err() != nil {
			return
		}
		a.log.Warn("a stream waits for its snapshot", "error", err)
		w.fail("db_unavailable")
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (a *App) offerAll(w *watch, views []job.View) {
	for i := range views {
		data, err := encodeFrame(&views[i])
		if err != nil {
			a.log.Error("a state can't be encoded", "job", views[i].ID, "error", err)
			continue
		}
		w.offer(&Update{View: &views[i], At: time.Now(), Frame: data, waits: waiterOf(&views[i])})
	}
}

// viewsOf reads what a stream of the topics shows at first: jobs that have not ended, those that ended a moment ago, and those
// it names, at most MaxWatchedJobs a topic.
func (a *App) viewsOf(ctx context.Context, topics []Topic) ([]job.View, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	jobs := map[job.ID]*job.Job{}
	var named []job.ID
	for _, t := range topics {
		if t.Kind == TopicStats {
			continue
		}
		if t.Kind == TopicJob {
			if id, err := job.ParseID(t.Value); err == nil {
				named = append(named, id)
			}
			continue
		}
		if err := a.readTopic(ctx, t, jobs); err != nil {
			return nil, err
		}
	}
	for batch := range slices.Chunk(named, persistence.MaxPage) {
		records, err := a.config.Store.Get(ctx, batch)
		if err != nil {
			return nil, err
		}
		for i := range records {
			jobs[records[i].Job.ID] = &records[i].Job
		}
	}
	return a.freshest(ctx, jobs), nil
}

func (a *App) readTopic(ctx context.Context, t Topic, jobs map[job.ID]*job.Job) error {
	q := persistence.Query{Limit: MaxWatchedJobs}
	switch t.Kind {
	case TopicOwner:
		q.Owner = t.Value
	case TopicQueue:
		q.Queue = t.Value
	case TopicBatch:
		q.Batch = t.Value
	}
	newest, err := a.config.Store.List(ctx, q)
	if err != nil {
		return err
	}
	q.Statuses = []job.Status{job.Scheduled, job.Queued, job.Processing, job.Retrying, job.Cancelling}
	live, err := a.config.Store.List(ctx, q)
	if err != nil {
		return err
	}
	for _, page := range [][]job.Job{newest.Jobs, live.Jobs} {
		for i := range page {
			if j := &page[i]; !j.Status.Terminal() || time.Since(j.Finished) < recentlyEnded {
				jobs[j.ID] = j
			}
		}
	}
	return nil
}

// freshest is the jobs' views, with the progress that was published since their rows were written.
func (a *App) freshest(ctx context.Context, jobs map[job.ID]*job.Job) []job.View {
	views := make([]job.View, 0, len(jobs))
	var running []job.ID
	for id, j := range jobs {
		if j.Status.Running() {
			running = append(running, id)
		}
	}
	if len(running) > 0 {
		last, err := a.config.Bus.Last(ctx, running)
		for i := range last {
			var v job.View
			if err == nil && last[i] != nil && json.Unmarshal(last[i], &v) == nil {
				freshen(jobs[running[i]], v)
			}
		}
	}
	for _, j := range jobs {
		views = append(views, j.View())
	}
	slices.SortFunc(views, func(x, y job.View) int { return x.ID.Compare(y.ID) })
	return views
}

// sweep reads the store for what streams show, and has the broadcaster pass on what they have missed.
func (a *App) sweep(ids map[job.ID]struct{}, topics []Topic) {
	for id := range ids {
		topics = append(topics, Topic{TopicJob, id.String()})
	}
	views, err := a.viewsOf(a.background, topics)
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			a.log.Warn("the store could not be read for what streams may have missed", "error", err)
		}
		return
	}
	a.system.Root.Send(a.broadcaster.pid, &found{views})
}
