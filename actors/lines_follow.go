package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Lines reads a part of a job's log or output.
func (a *App) Lines(ctx context.Context, q persistence.LineQuery) (persistence.LinePage, error) {
	return a.config.Store.ReadLines(ctx, q)
}

// FollowLines follows a job's log or output: from after the query's line, or its tail, to the end of the job. ErrNotFound if
// there is no such job, ErrClosed if the node drains.
func (a *App) FollowLines(ctx context.Context, q persistence.LineQuery) (LineFollowing, error) {
	if !a.open() {
		return nil, ErrClosed
	}
	j, err := a.Get(ctx, q.Job)
	if err != nil {
		return nil, fmt.Errorf("follow the %s of a job: %w", q.Channel, err)
	}
	q.Limit = 0
	f := &lineFollower{app: a, query: q, at: q.After, behind: true}
	if !j.Status.Terminal() {
		f.tail = a.lineTails.enter(tailKey{q.Job, q.Channel})
	}
	return f, nil
}

// LineFollowing is one stream's place at a channel of a job.
type LineFollowing interface {
	// Next waits until there is something and returns it. It returns the context's error when that ends first, and may be called
	// again then.
	Next(ctx context.Context) (LineBatch, error)
	// Close gives the place up.
	Close()
}

// LineBatch is the next lines of a channel, each once, in order.
type LineBatch struct {
	// Missed are the lines before these that were removed before they could be read; nil if none were.
	Missed *LineGap
	Lines  []persistence.Line // shared: do not change them
	// End: nothing follows. "done" if the job has ended and all was read, "drain" if the node goes.
	End string
}

// LineGap is a range of seqs, both ends included, within which lines are missing.
type LineGap struct{ From, To int64 }

type lineFollower struct {
	app   *App
	query persistence.LineQuery
	tail  *lineTail // nil if the job has ended
	leave sync.Once

	at     int64 // the last line that was returned
	n      int64 // its place; 0 if there was none, or it is not known
	behind bool  // the store has to be asked
}

// Close implements LineFollowing.
func (f *lineFollower) Close() {
	f.leave.Do(func() {
		if f.tail != nil {
			f.app.lineTails.leave(f.tail)
		}
	})
}

// Next implements LineFollowing.
func (f *lineFollower) Next(ctx context.Context) (LineBatch, error) {
	for {
		if f.behind {
			batch, err := f.catchUp(ctx)
			if err != nil || len(batch.Lines) > 0 || batch.End != "" {
				return batch, err
			}
			continue
		}
		if f.tail == nil {
			return LineBatch{End: "done"}, nil
		}
		lines, behind, end, change := f.tail.since(f.at)
		switch {
		case behind || len(lines) > 0 && f.n > 0 && lines[0].N != f.n+1:
			f.behind = true
			continue
		case len(lines) > 0:
			f.went(lines)
			return LineBatch{Lines: lines}, nil
		case end != "":
			return LineBatch{End: end}, nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return LineBatch{}, ctx.Err()
		}
	}
}

// catchUp reads the store. While that does not answer, it waits: the tail is read in the end.
func (f *lineFollower) catchUp(ctx context.Context) (LineBatch, error) {
	f.query.After = f.at
	page, err := f.app.config.Store.ReadLines(ctx, f.query)
	if err != nil {
		pause := time.NewTimer(lineRetryFirst + rand.N(time.Second))
		defer pause.Stop()
		select {
		case <-pause.C:
			return LineBatch{}, nil
		case <-f.app.background.Done():
			return LineBatch{End: "drain"}, nil
		case <-ctx.Done():
			return LineBatch{}, ctx.Err()
		}
	}
	f.query.Tail = 0
	f.behind = page.More
	if len(page.Lines) == 0 {
		return LineBatch{}, nil
	}
	batch := LineBatch{Lines: page.Lines}
	if first := page.Lines[0]; f.n == 0 && page.Gap || f.n > 0 && first.N != f.n+1 {
		batch.Missed = &LineGap{From: f.at + 1, To: first.Seq - 1}
	}
	f.went(page.Lines)
	return batch, nil
}

func (f *lineFollower) went(lines []persistence.Line) {
	last := lines[len(lines)-1]
	f.at, f.n = last.Seq, last.N
}
