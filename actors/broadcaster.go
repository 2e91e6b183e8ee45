package actors

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// broadcasterRef is the broadcaster: it numbers every change of every job as it learns of it, from this node or another, and puts it into the
// slots of the streams that show that job. Streams take from their slots by themselves, so that one that stalls holds up
// nobody.
//
// Whoever joins is put down for its topics first, and only then is the store read for what there was before: between the two
// nothing can be missed, and what comes twice is told apart by its rev.
//
// Supervision: top level, restarted for ever with its state.
//
//	message    from             open                                    draining
//	changed    settler, doors   number, fill slots                      the same
//	heard      bus              decode if anybody watches, as changed   the same
//	join       App.Watch        put down, resume or begin a snapshot    refuse
//	leave      streams          strike out                              the same
//	found      sweeps           as changed, if news                     the same
//	purged     App, bus         tell streams that show the jobs         the same
//	glance     timer            have statistics and places read         the same
//	measured   statistics       tell streams of them                    the same
//	placed     places           tell streams that show the jobs         the same
//	sweep      timer, gaps      have the store read for what is watched ignored
//	drainAll   App              end every stream, spread over a window  ignored
type broadcasterRef struct {
	system *actor.ActorSystem
	pid    *actor.PID
}

func (r broadcasterRef) changed(jobs []*job.Job)         { r.system.Root.Send(r.pid, &changed{jobs}) }
func (r broadcasterRef) received(d persistence.Delivery) { r.system.Root.Send(r.pid, &heard{d}) }
func (r broadcasterRef) leave(w *watch)                  { r.system.Root.Send(r.pid, &leave{w}) }
func (r broadcasterRef) drain(window time.Duration)      { r.system.Root.Send(r.pid, &drainAll{window}) }

func (r broadcasterRef) purged(ids []job.ID) {
	if len(ids) > 0 {
		r.system.Root.Send(r.pid, &purged{ids: ids, tell: true})
	}
}

// removed is purged, as another node has said.
func (r broadcasterRef) removed(ids []job.ID) {
	if len(ids) > 0 {
		r.system.Root.Send(r.pid, &purged{ids: ids})
	}
}

type (
	changed struct{ jobs []*job.Job }
	heard   struct{ delivery persistence.Delivery }
	join    struct {
		watch   *watch
		request WatchRequest
		reply   chan error // buffered
	}
	leave  struct{ watch *watch }
	found  struct{ views []job.View }
	purged struct {
		ids  []job.ID
		tell bool // other nodes don't know
	}
	sweep struct {
		topics bool // after a gap: look at all topics at once
	}
	drainAll struct{ window time.Duration }
)

type broadcaster struct {
	app      *App
	epoch    string
	seq      int64
	watches  map[*watch]struct{}
	topics   map[Topic]map[*watch]struct{}
	latest   map[job.ID]*Update
	recent   []*Update // by number; those that are not their job's latest any more are holes
	floor    int64     // what was numbered up to here is not in recent
	lonely   time.Time // since when nobody watches; zero if somebody does
	attends  time.Time // since when every change is kept; zero while none is
	turn     int       // where the next sweep goes on among the topics
	draining bool
	stop     func()

	clock     func()               // ends the glances; nil while nobody watches
	removals  []removal            // by number
	gone      map[job.ID]time.Time // removed a moment ago
	stats     map[*watch]struct{}  // who watch statistics
	tally     *tally               // nil while nobody does
	lastStats []byte               // and when
	statsAt   time.Time
	measuring bool
	placing   bool
	placeTurn int // where the next places are found among the queues
}

const (
	maxRecent     = 20_000           // changes kept for streams that come back
	resumeWindow  = time.Minute      // how long changes are kept when nobody watches
	recentlyEnded = 10 * time.Minute // ended jobs in a snapshot
)

func spawnBroadcaster(a *App) (broadcasterRef, error) {
	b := &broadcaster{
		app: a, epoch: uuid.NewString()[:8], watches: map[*watch]struct{}{}, topics: map[Topic]map[*watch]struct{}{},
		latest: map[job.ID]*Update{}, gone: map[job.ID]time.Time{}, stats: map[*watch]struct{}{}, lonely: time.Now().Add(-2 * resumeWindow), // nobody can come back to what has just begun
	}
	pid, err := a.spawn("broadcaster", b)
	if err != nil {
		return broadcasterRef{}, err
	}
	every := backstopEvery + time.Duration((rand.Float64()-0.5)*0.3*float64(backstopEvery))
	b.stop = a.timers.SendRepeatedly(every, every, pid, &sweep{})
	return broadcasterRef{a.system, pid}, nil
}

// Receive implements actor.Actor.
func (b *broadcaster) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *changed:
		b.onChanged(m)
	case *heard:
		b.onHeard(c, m.delivery)
	case *join:
		b.onJoin(c, m)
	case *leave:
		b.onLeave(m.watch)
		b.watchClock(c)
	case *found:
		b.onFound(m)
	case *purged:
		b.onPurged(m)
	case *glance:
		b.onGlance(c, time.Now())
	case *measured:
		b.onMeasured(m)
	case *placed:
		b.onPlaced(m)
	case *sweep:
		b.onSweep(m)
	case *drainAll:
		b.onDrain(m)
	case *actor.Stopping:
		b.stop()
		if b.clock != nil {
			b.clock()
		}
		for w := range b.watches {
			w.finishWith("drain")
		}
	}
}

// idle says that nobody watches, nor has for so long that nobody will come back to resume.
func (b *broadcaster) idle() bool {
	return len(b.watches) == 0 && time.Since(b.lonely) > resumeWindow
}

func (b *broadcaster) onChanged(m *changed) {
	if b.idle() {
		b.skip(int64(len(m.jobs)))
		return
	}
	for _, j := range m.jobs {
		view := j.View()
		b.take(&view)
	}
}

// skip numbers changes that are not kept.
func (b *broadcaster) skip(n int64) {
	b.seq += n
	b.floor = b.seq
	b.attends = time.Time{}
	if len(b.recent) > 0 {
		b.recent = nil
		clear(b.latest)
	}
	b.removals = nil
}

func (b *broadcaster) onHeard(c actor.Context, d persistence.Delivery) {
	if d.Gap {
		b.app.metrics.busGaps.WithLabelValues("seq").Inc()
		c.Send(c.Self(), &sweep{topics: true})
	}
	b.app.metrics.bus.WithLabelValues("in", "ok").Add(float64(len(d.States)))
	if len(d.States) > 0 && !d.Sent.IsZero() {
		b.app.metrics.busTransit.Observe(max(time.Since(d.Sent).Seconds(), 0)) // clocks may differ
	}
	if b.idle() {
		b.skip(int64(len(d.States)))
		return
	}
	for _, data := range d.States {
		var view job.View
		if err := json.Unmarshal(data, &view); err != nil {
			b.app.log.Warn("a state from another node can't be read", "from", d.Node, "error", err)
			continue
		}
		b.take(&view)
	}
}

// take numbers a state, keeps it, and fills slots with it. It answers whether it was news to anybody.
func (b *broadcaster) take(view *job.View) bool {
	known := b.latest[view.ID]
	if known != nil && known.View.Cancel != nil {
		stillAsked(known.View, view)
	}
	if known != nil && known.View.Version >= view.Version {
		return false
	}
	if _, gone := b.gone[view.ID]; gone {
		return false
	}
	b.learn(known, view)
	b.seq++
	u := &Update{View: view, Seq: b.seq, At: time.Now()}
	b.keep(u)
	news := false
	for w := range b.interested(view) {
		if b.encode(u) {
			news = w.offer(u) || news
		}
	}
	return news
}

// stillAsked has a state show that somebody asked to cancel the job, where its holder has not heard of it yet and everybody else has been
// told.
func stillAsked(known, view *job.View) {
	if view.Cancel != nil || view.Run != known.Run {
		return
	}
	j := job.Job{Status: view.Status, Rev: view.Version, Cancel: &known.Cancel.Cancel}
	shown := j.View()
	view.Version, view.Status, view.Cancel = shown.Version, shown.Status, shown.Cancel
}

// learn counts the state, and how long its run took.
func (b *broadcaster) learn(known *Update, view *job.View) {
	var before *job.View
	if known != nil {
		before = known.View
	}
	if b.tally != nil {
		b.tally.count(before, view, time.Now())
	}
	if view.Status == job.Completed && !view.StartedAt.IsZero() && (before == nil || !before.Terminal) {
		b.app.durations.add(view.Kind, view.CompletedAt.Sub(view.StartedAt))
	}
}

func (b *broadcaster) encode(u *Update) bool {
	if u.Frame == nil {
		u.waits = waiterOf(u.View)
		data, err := encodeFrame(u.View)
		if err != nil {
			b.app.log.Error("a state can't be encoded", "job", u.View.ID, "error", err)
			return false
		}
		u.Frame = data
	}
	return true
}

func (b *broadcaster) keep(u *Update) {
	b.latest[u.View.ID] = u
	b.recent = append(b.recent, u)
	if len(b.recent) <= 2*maxRecent {
		return
	}
	cut := len(b.recent) - maxRecent
	for _, old := range b.recent[:cut] {
		if b.latest[old.View.ID] == old {
			delete(b.latest, old.View.ID)
		}
	}
	b.floor = b.recent[cut-1].Seq
	b.recent = slices.Clone(b.recent[cut:])
}

// interested is the set of streams that show the job.
func (b *broadcaster) interested(v *job.View) map[*watch]struct{} {
	all := make(map[*watch]struct{})
	for _, t := range topicsOf(v) {
		for w := range b.topics[t] {
			all[w] = struct{}{}
		}
	}
	return all
}

func topicsOf(v *job.View) []Topic {
	topics := []Topic{{Kind: TopicAll}, {TopicJob, v.ID.String()}, {TopicQueue, v.Queue}}
	if v.Owner != "" {
		topics = append(topics, Topic{TopicOwner, v.Owner})
	}
	if v.Batch != "" {
		topics = append(topics, Topic{TopicBatch, v.Batch})
	}
	return topics
}

func (b *broadcaster) onJoin(c actor.Context, m *join) {
	if b.draining {
		m.reply <- ErrClosed
		return
	}
	w, r := m.watch, m.request
	w.epoch = b.epoch
	b.watches[w] = struct{}{}
	b.lonely = time.Time{}
	if b.attends.IsZero() {
		b.attends = time.Now()
	}
	for t := range w.topics {
		if b.topics[t] == nil {
			b.topics[t] = map[*watch]struct{}{}
			b.app.attention.begin(t)
		}
		b.topics[t][w] = struct{}{}
	}
	if _, asked := w.topics[Topic{Kind: TopicStats}]; asked {
		b.joinStats(c, w)
	}
	b.watchClock(c)
	since := int64(0)
	if r.Epoch == b.epoch && r.Since > 0 && r.Since >= b.floor && r.Since <= b.seq {
		w.mode, since = "resume", r.Since
	}
	b.replay(w, since)
	if w.mode == "resume" {
		b.replayRemovals(w, since)
		w.completed(b.seq)
	} else {
		cursor := b.seq
		b.app.loops.Go(func() { b.app.snapshot(w, r, cursor) })
	}
	m.reply <- nil
}

// replay offers what is kept: to a stream that goes on where it was, all that is newer than the number; to one that begins, the
// newest MaxWatchedJobs. Such a one is told the rest by the store, which is behind only with progress.
func (b *broadcaster) replay(w *watch, since int64) {
	from := sort.Search(len(b.recent), func(i int) bool { return b.recent[i].Seq > since })
	room := MaxWatchedJobs
	if since > 0 {
		room = len(b.recent)
	}
	for _, u := range slices.Backward(b.recent[from:]) {
		if room == 0 {
			return
		}
		if b.latest[u.View.ID] == u && w.shows(u.View) && (since > 0 || !endedLongAgo(u.View)) && b.encode(u) {
			w.offer(u)
			room--
		}
	}
}

func endedLongAgo(v *job.View) bool {
	return v.Terminal && time.Since(v.CompletedAt) > recentlyEnded
}

func (b *broadcaster) onLeave(w *watch) {
	if _, ok := b.watches[w]; !ok {
		return
	}
	delete(b.watches, w)
	for t := range w.topics {
		if delete(b.topics[t], w); len(b.topics[t]) == 0 {
			delete(b.topics, t)
			b.app.attention.end(t)
		}
	}
	b.leaveStats(w)
	if len(b.watches) == 0 {
		b.lonely = time.Now()
	}
	w.finishWith("closed")
}

func (b *broadcaster) onDrain(m *drainAll) {
	b.draining = true
	for w := range b.watches {
		time.AfterFunc(rand.N(m.window+1), func() { w.finishWith("drain") })
	}
}

// drainWindow is the time over which streams are told to go, so that they do not all come back at once.
func drainWindow(ctx context.Context) time.Duration {
	window := 20 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)/2)
	}
	return max(window, 0)
}
