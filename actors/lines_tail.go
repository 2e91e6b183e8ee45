package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// lineTails are the channels of jobs that are followed on this node. Each has one reader for all its followers: whoever is at the end of a
// channel gets what that reader has read, and only who is behind reads the store.
type lineTails struct {
	app *App

	mu   sync.Mutex
	open map[tailKey]*lineTail
}

type tailKey struct {
	id      job.ID
	channel persistence.Channel
}

// Bounds of a tail.
const (
	tailLines = 500                   // newest lines kept for those who wait
	tailBytes = 256 << 10             // and how many bytes
	tailEvery = 3 * time.Second       // the store is looked at, whatever the word is
	tailPause = 25 * time.Millisecond // between two looks
)

func newLineTails(a *App) *lineTails {
	return &lineTails{app: a, open: map[tailKey]*lineTail{}}
}

// lineTail is the end of one channel, as far as it is known.
type lineTail struct {
	tails *lineTails
	key   tailKey
	more  chan struct{} // holds one: there may be new lines
	stop  context.CancelFunc

	followers int // under the mutex of tails

	mu     sync.Mutex
	recent []persistence.Line
	bytes  int           // of recent
	floor  int64         // all lines that are newer than this one, up to the last of recent, are in recent
	begun  bool          // the floor is known
	end    string        // why there will be no more lines
	change chan struct{} // closed with each change, and replaced
}

// enter finds or opens the tail of a channel.
func (ts *lineTails) enter(key tailKey) *lineTail {
	ts.app.metrics.lines.followers.WithLabelValues(key.channel.String()).Inc()
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t, ok := ts.open[key]; ok {
		t.followers++
		return t
	}
	ctx, cancel := context.WithCancel(ts.app.background)
	t := &lineTail{
		tails: ts, key: key, more: make(chan struct{}, 1), stop: cancel, followers: 1, change: make(chan struct{}),
	}
	ts.open[key] = t
	ts.app.loops.Go(func() { t.run(ctx) })
	return t
}

// leave ends a tail with its last follower.
func (ts *lineTails) leave(t *lineTail) {
	ts.app.metrics.lines.followers.WithLabelValues(t.key.channel.String()).Dec()
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.followers--; t.followers == 0 {
		t.stop()
		ts.forget(t)
	}
}

// forget lets the next follower open a new tail.
func (ts *lineTails) forget(t *lineTail) {
	if ts.open[t.key] == t {
		delete(ts.open, t.key)
	}
}

// poke says that the jobs may have new lines.
func (ts *lineTails) poke(ids []job.ID) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.open) == 0 {
		return
	}
	for _, id := range ids {
		for _, c := range persistence.Channels {
			if t, ok := ts.open[tailKey{id, c}]; ok {
				poke(t.more)
			}
		}
	}
}

// pokeAll says that word of lines may have been lost.
func (ts *lineTails) pokeAll() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, t := range ts.open {
		poke(t.more)
	}
}

// run reads what is new until the job has ended or nobody follows any more.
func (t *lineTail) run(ctx context.Context) {
	over := make(chan string, 1)
	var watching sync.WaitGroup
	watching.Go(func() { over <- t.tails.app.awaitEnd(ctx, t.key.id) })
	defer watching.Wait()
	defer t.stop()
	end, wait := "", time.Duration(0)
	for {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-t.more:
		case end = <-over:
			over = nil
		case <-ctx.Done():
			end = "drain"
		}
		timer.Stop()
		if ctx.Err() != nil {
			t.finish("drain")
			return
		}
		// The end was known before the store is read: what was said before it is read.
		if err := t.read(ctx); err != nil {
			wait = lineRetryFirst + rand.N(time.Second)
			continue
		}
		if end != "" {
			t.finish(end)
			return
		}
		wait = tailEvery + rand.N(tailEvery/4)
		pause := time.NewTimer(tailPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
	}
}

// awaitEnd waits until the job has ended for good, and says what kind of end that is: "done" or "drain".
func (a *App) awaitEnd(ctx context.Context, id job.ID) string {
	topics := []Topic{{Kind: TopicJob, Value: id.String()}}
	for ctx.Err() == nil {
		watching, err := a.Watch(ctx, WatchRequest{Topics: topics})
		if err != nil {
			if errors.Is(err, ErrClosed) {
				return "drain"
			}
			continue // the context has ended
		}
		end := ""
		for end == "" && ctx.Err() == nil {
			batch, err := watching.Next(ctx)
			if end = batch.End; err == nil && len(batch.Removed) > 0 {
				end = "done"
			}
		}
		watching.Close()
		if end == "done" || end == "drain" {
			return end
		}
	}
	return "drain"
}

// read takes in what is new. At first it only finds out where the end is.
func (t *lineTail) read(ctx context.Context) error {
	t.mu.Lock()
	query := persistence.LineQuery{Job: t.key.id, Channel: t.key.channel, After: t.floor}
	if n := len(t.recent); n > 0 {
		query.After = t.recent[n-1].Seq
	}
	begun := t.begun
	t.mu.Unlock()
	if !begun {
		query.Tail = 1
	}
	for {
		page, err := t.tails.app.config.Store.ReadLines(ctx, query)
		if err != nil {
			return err
		}
		if !begun {
			t.begin(page.Bounds.Last)
			return nil
		}
		t.add(page)
		if !page.More {
			return nil
		}
		query.After = page.Lines[len(page.Lines)-1].Seq
	}
}

func (t *lineTail) begin(floor int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun, t.floor = true, floor
	t.changed()
}

func (t *lineTail) add(page persistence.LinePage) {
	if len(page.Lines) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if page.Gap { // those who are behind have to see it
		t.recent, t.bytes, t.floor = nil, 0, page.Lines[0].Seq-1
	}
	t.recent = append(t.recent, page.Lines...)
	for i := range page.Lines {
		t.bytes += len(page.Lines[i].Text)
	}
	cut := 0
	for len(t.recent)-cut > tailLines || t.bytes > tailBytes {
		t.bytes -= len(t.recent[cut].Text)
		t.floor = t.recent[cut].Seq
		cut++
	}
	if cut > 0 {
		t.recent = append([]persistence.Line(nil), t.recent[cut:]...)
	}
	t.changed()
}

func (t *lineTail) finish(end string) {
	t.tails.mu.Lock()
	t.tails.forget(t)
	t.tails.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = end
	t.changed()
}

func (t *lineTail) changed() {
	close(t.change)
	t.change = make(chan struct{})
}

// since is what came after a line. Behind: the store has to be asked. Otherwise, if there is nothing, the channel is closed with
// the next change, unless the end is said.
func (t *lineTail) since(seq int64) (lines []persistence.Line, behind bool, end string, change <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case !t.begun:
		return nil, false, t.end, t.change
	case seq < t.floor:
		return nil, true, "", t.change
	}
	from := len(t.recent)
	for from > 0 && t.recent[from-1].Seq > seq {
		from--
	}
	return t.recent[from:len(t.recent):len(t.recent)], false, t.end, t.change
}
