package actors

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// watch is one stream's place at the broadcaster: for each job one slot that holds its latest state. The broadcaster puts
// states in and never waits; the stream's goroutine takes all out at once. So a slow stream sees fewer states of a job, never an
// older one after a newer one, and always the last.
type watch struct {
	app    *App
	topics map[Topic]struct{}
	epoch  string
	mode   string
	wakeup chan struct{} // holds one
	over   chan struct{} // closed at the end

	mu       sync.Mutex
	single   bool               // some of the topics are single jobs
	seen     map[job.ID]mark    // what was handed out, or is in a slot
	crowded  int                // how many of them there may be before trim looks at them again
	slots    map[job.ID]*Update // what is to be handed out
	removed  []Removal
	since    time.Time // when the oldest slot was filled
	merged   int64     // states that were replaced in their slot
	complete bool      // the snapshot is in the slots
	ready    bool      // and was handed out
	cursor   int64     // the newest change that the snapshot is known to include
	fault    string
	end      string
	endTold  bool // it was handed out
	extras
}

// mark is the newest that a stream knows of a job.
type mark struct {
	rev      int64
	terminal bool
}

// maxMarks bounds what one stream remembers; beyond it, marks of ended jobs are dropped.
const maxMarks = 10_000

// staleSlot is how long a state may wait for a stream that does not take it.
const staleSlot = 10 * time.Second

func newWatch(a *App, r WatchRequest) *watch {
	w := &watch{
		app: a, topics: make(map[Topic]struct{}, len(r.Topics)), wakeup: make(chan struct{}, 1), over: make(chan struct{}), mode: "snapshot",
		seen: make(map[job.ID]mark, len(r.Known)), slots: map[job.ID]*Update{},
	}
	for _, t := range r.Topics {
		w.topics[t] = struct{}{}
		w.single = w.single || t.Kind == TopicJob
	}
	for id, rev := range r.Known {
		w.seen[id] = mark{rev: rev}
	}
	return w
}

// Mode implements Watching.
func (w *watch) Mode() string { return w.mode }

// Epoch implements Watching.
func (w *watch) Epoch() string { return w.epoch }

// Backlog implements Watching.
func (w *watch) Backlog() Backlog {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := Backlog{Coalesced: w.merged, Pending: len(w.slots)}
	if b.Pending > 0 {
		b.Lag = time.Since(w.since)
	}
	return b
}

// Close implements Watching.
func (w *watch) Close() { w.app.broadcaster.leave(w) }

// offer fills the job's slot if the state is newer than any that this stream knows. It never blocks. It answers whether
// the state was news.
func (w *watch) offer(u *Update) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := w.seen[u.View.ID]
	if u.View.Version <= known.rev || w.end != "" {
		if u.View.Version == known.rev {
			w.seen[u.View.ID] = mark{known.rev, u.View.Terminal} // the client may have told only the rev
		}
		return false
	}
	if _, gone := w.gone[u.View.ID]; gone {
		return false
	}
	if len(w.slots) == 0 {
		w.since = time.Now()
	} else if time.Since(w.since) > staleSlot && w.ready {
		w.finish("slow")
		return false
	}
	if _, waits := w.slots[u.View.ID]; waits {
		w.app.metrics.sseCoalesced.Inc()
		w.merged++
	}
	w.seen[u.View.ID] = mark{u.View.Version, u.View.Terminal}
	w.slots[u.View.ID] = u
	w.note(u)
	w.trim()
	w.wake()
	return true
}

// trim drops marks of ended jobs once there are many. What it can't drop yet, because the stream has not taken it, it does not look
// at again before there are twice as many.
func (w *watch) trim() {
	if len(w.seen) <= max(maxMarks, w.crowded) {
		return
	}
	for id, m := range w.seen {
		if _, waits := w.slots[id]; m.terminal && !waits {
			delete(w.seen, id)
		}
	}
	w.crowded = 2 * len(w.seen)
}

// shows says whether the job is within the stream's topics.
func (w *watch) shows(v *job.View) bool {
	has := func(kind TopicKind, value string) bool {
		_, ok := w.topics[Topic{kind, value}]
		return ok
	}
	return has(TopicAll, "") || has(TopicQueue, v.Queue) || v.Owner != "" && has(TopicOwner, v.Owner) ||
		v.Batch != "" && has(TopicBatch, v.Batch) || w.single && has(TopicJob, v.ID.String())
}

func (w *watch) remove(r Removal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.extras.remove(r.ID, w.complete)
	if m, ok := w.seen[r.ID]; ok {
		r.Rev = m.rev
		delete(w.seen, r.ID)
		delete(w.slots, r.ID)
		w.removed = append(w.removed, r)
		w.wake()
	}
}

// removeUnseen is remove for a stream that may show the job from before.
func (w *watch) removeUnseen(r Removal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.removed = append(w.removed, r)
	w.wake()
}

// completed says that all there was has been offered, up to the cursor.
func (w *watch) completed(cursor int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complete, w.cursor, w.gone = true, cursor, nil
	w.wake()
}

func (w *watch) fail(fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
	w.wake()
}

func (w *watch) finishWith(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finish(reason)
}

func (w *watch) finish(reason string) {
	if w.end == "" {
		w.end = reason
		close(w.over)
		w.wake()
	}
}

func (w *watch) wake() {
	select {
	case w.wakeup <- struct{}{}:
	default:
	}
}

// live lists the jobs that the stream knows and that have not ended.
func (w *watch) live() []job.ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make([]job.ID, 0, len(w.seen))
	for id, m := range w.seen {
		if !m.terminal {
			ids = append(ids, id)
		}
	}
	return ids
}

// Next implements Watching.
func (w *watch) Next(ctx context.Context) (Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return Batch{}, err
		}
		batch, ok, err := w.take()
		if ok || err != nil {
			return batch, err
		}
		select {
		case <-w.wakeup:
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		}
	}
}

func (w *watch) take() (_ Batch, ok bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.endTold {
		return Batch{}, false, ErrClosed
	}
	b := Batch{Removed: w.removed, Fault: w.fault, End: w.end}
	w.removed, w.fault = nil, ""
	w.takeExtras(&b)
	if len(w.slots) > 0 {
		b.Updates = w.numbered()
		clear(w.slots)
	}
	if w.complete && !w.ready {
		w.ready, b.Ready = true, true
		b.Jobs, b.Cursor = len(w.seen), w.cursor
	}
	if w.ready && b.End == "" && w.done() {
		w.finish("done")
		b.End = "done"
	}
	w.endTold = b.End != ""
	return b, len(b.Updates) > 0 || len(b.Removed) > 0 || b.Ready || b.Fault != "" || b.End != "" ||
		b.Stats != nil || len(b.Places) > 0, nil
}

// numbered is what is in the slots, ended jobs first, each with the number of the newest change such that it and all before it have
// been handed out: a stream that is cut after any frame and comes back with that number misses nothing. Before the
// snapshot is complete there is no such number but 0.
func (w *watch) numbered() []*Update {
	updates := make([]*Update, 0, len(w.slots))
	for _, u := range w.slots {
		updates = append(updates, u)
	}
	slices.SortFunc(updates, func(x, y *Update) int {
		if x.View.Terminal != y.View.Terminal {
			if x.View.Terminal {
				return -1
			}
			return 1
		}
		return cmp.Compare(x.Seq, y.Seq)
	})
	for _, u := range updates {
		if w.ready {
			w.cursor = max(w.cursor, u.Seq)
		}
	}
	safe := w.cursor
	for i := len(updates) - 1; i >= 0; i-- {
		copied := *updates[i]
		seq := copied.Seq
		copied.Seq = safe
		if !w.ready {
			copied.Seq = 0
		}
		updates[i] = &copied
		if seq > 0 {
			safe = min(safe, seq-1)
		}
	}
	return updates
}

// done says whether the stream is of single jobs only, and all of them have ended.
func (w *watch) done() bool {
	for t := range w.topics {
		if t.Kind != TopicJob {
			return false
		}
		id, err := job.ParseID(t.Value)
		if err != nil || !w.seen[id].terminal {
			return false
		}
	}
	return true
}
