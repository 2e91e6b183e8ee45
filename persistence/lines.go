package persistence

import (
	"context"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Lines keeps what handlers say while they run: a job's log and its output, line by line, each line numbered. It is append-only:
// a line is never changed, and leaves only as the oldest of a log that is full, or with its job.
//
// Errors wrap ErrUnavailable, ErrFull or ErrInvalid where they apply.
type Lines interface {
	// AppendLines adds lines to jobs in one transaction. Each append is taken whole or not at all, under its job's fence: the job
	// must be there, must not have ended, its row's token must be smaller than the append's, or equal and of the same node, and no
	// line of a greater token may be there. An append that overlaps in time with a newer claim may be taken before that claim.
	//
	// A line that is not newer than the newest of its channel was written before, and is left out: so a repetition changes
	// nothing. Beyond the bounds of a channel (MaxLines, MaxLineBytes) the oldest lines of a log are removed, and an append to an output is refused.
	//
	// No two appends may be of one job and channel; at most MaxBatch of them, each of at most MaxAppendLines and MaxAppendBytes: more is ErrInvalid. One
	// answer per append, in order.
	AppendLines(ctx context.Context, appends []Append) ([]Appended, error)

	// ReadLines reads a part of a channel, oldest line first. A job that is not there has no lines.
	ReadLines(ctx context.Context, query LineQuery) (LinePage, error)
}

// Bounds of a channel of one job, over all its attempts and lives.
const (
	MaxLines     = 10_000
	MaxLineBytes = 4 << 20 // of text, in sum
	MaxLine      = 8 << 10 // bytes of one line's text
)

// Bounds of one append and of one page.
const (
	MaxAppendLines   = 1000
	MaxAppendBytes   = 1 << 20
	MaxLinesPage     = 1000
	DefaultLinesPage = 500
)

// Channel is a sequence of lines of a job.
type Channel uint8

const (
	// Log is for people: the oldest lines of a long one are removed.
	Log Channel = iota + 1
	// Output is for programs: it is kept whole, and what does not fit is refused.
	Output
)

// Channels are all there are.
var Channels = []Channel{Log, Output}

// String is "log" or "output".
func (c Channel) String() string {
	switch c {
	case Log:
		return "log"
	case Output:
		return "output"
	}
	return fmt.Sprintf("Channel(%d)", uint8(c))
}

// Level is how serious a line of a log is. Lines of an output have none.
type Level uint8

// The levels.
const (
	LevelDebug Level = iota + 1
	LevelInfo
	LevelWarn
	LevelError
)

var levels = [...]string{"", "debug", "info", "warn", "error"}

// String is the level's name; empty for none.
func (l Level) String() string {
	if int(l) < len(levels) {
		return levels[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// Line is one line of a log, or one chunk of an output.
type Line struct {
	Seq     int64 // token × job.RevsPerToken + a number from 1: grows over attempts, crashes and nodes
	At      time.Time
	Level   Level
	Attempt int
	Text    string // any bytes; at most MaxLine of them
	// N is the line's place in its channel, counted from 1 and over all that was ever appended. The store sets it: two lines read one
	// after the other whose N differ by more than one have had others between them.
	N int64
}

// LineSeq is the seq of the n-th line that was said under a token. N is at most job.RevsPerToken-1.
func LineSeq(token, n int64) int64 { return token*job.RevsPerToken + n }

// Append is lines for one channel of one job, said under one claim.
type Append struct {
	Job     job.ID
	Channel Channel
	Token   int64
	Node    string
	Lines   []Line // ascending by Seq, all of Token; at least one
}

// Appended is what became of an append.
type Appended struct {
	State   AppendState
	Dropped int // older lines that were removed to make room
}

// AppendState is whether lines were taken.
type AppendState uint8

const (
	// LinesTaken: the channel has them, now or from before.
	LinesTaken AppendState = iota + 1
	// LinesRefused: the job is another claim's by now, or has ended. It will never take them.
	LinesRefused
	// LinesFull: the output can't hold them.
	LinesFull
	// LinesEarly: there is no such job, or not yet: its first row may still be on its way.
	LinesEarly
)

// LineQuery selects a part of a channel.
type LineQuery struct {
	Job     job.ID
	Channel Channel
	After   int64 // only lines with a greater seq
	Tail    int   // if set, the newest so many (at most Limit) of those
	Limit   int   // 1 to MaxLinesPage; 0 is DefaultLinesPage
}

// LinePage is a part of a channel.
type LinePage struct {
	Lines []Line
	More  bool // there are newer lines than the last of these
	// Gap: lines between the query's After and the first of Lines have been removed. It may be said for nothing when the line After itself was
	// removed, and it is never said of what a Tail leaves out.
	Gap    bool
	Bounds LineBounds
}

// LineBounds is how much a channel holds.
type LineBounds struct {
	First, Last int64 // seq of the oldest and of the newest line; 0 if there is none
	Lines       int64
	Bytes       int64
	Dropped     int64 // lines that were removed
}

// Bound is how many lines the query may return.
func (q LineQuery) Bound() int {
	limit := q.Limit
	if limit <= 0 {
		limit = DefaultLinesPage
	}
	limit = min(limit, MaxLinesPage)
	if q.Tail > 0 {
		limit = min(limit, q.Tail)
	}
	return limit
}

// CheckAppends says what is wrong with appends before anything is written: ErrInvalid.
func CheckAppends(appends []Append) error {
	if len(appends) > MaxBatch {
		return fmt.Errorf("%w: %d appends, at most %d", ErrInvalid, len(appends), MaxBatch)
	}
	type place struct {
		id      job.ID
		channel Channel
	}
	seen := make(map[place]struct{}, len(appends))
	for i := range appends {
		a := &appends[i]
		at := place{a.Job, a.Channel}
		if _, twice := seen[at]; twice {
			return fmt.Errorf("%w: two appends to the %s of job %s", ErrInvalid, a.Channel, a.Job)
		}
		seen[at] = struct{}{}
		if err := a.check(); err != nil {
			return fmt.Errorf("%w: append to the %s of job %s: %w", ErrInvalid, a.Channel, a.Job, err)
		}
	}
	return nil
}

func (a *Append) check() error {
	if a.Channel != Log && a.Channel != Output || len(a.Lines) == 0 || len(a.Lines) > MaxAppendLines {
		return fmt.Errorf("%d lines, want 1 to %d", len(a.Lines), MaxAppendLines)
	}
	bytes, last := 0, LineSeq(a.Token, 0)
	for i := range a.Lines {
		l := &a.Lines[i]
		if l.Seq <= last || l.Seq >= LineSeq(a.Token+1, 0) || len(l.Text) > MaxLine || int(l.Level) >= len(levels) {
			return fmt.Errorf("line %d of token %d, after %d: %d bytes, level %d", l.Seq, a.Token, last, len(l.Text), l.Level)
		}
		last = l.Seq
		bytes += len(l.Text)
	}
	if bytes > MaxAppendBytes {
		return fmt.Errorf("%d bytes, at most %d", bytes, MaxAppendBytes)
	}
	return nil
}

// AdmitsLines says whether a job whose row is under this fence takes lines that were said under the token on the node.
func (row Fence) AdmitsLines(token int64, node string) bool {
	return !row.Status.Terminal() && (token > row.Token || token == row.Token && node == row.Node)
}

// Page makes a page of the lines that a driver has read: those from the cursor's own on, oldest first, up to two more than Bound; of a tail,
// the newest ones.
func (q LineQuery) Page(lines []Line) LinePage {
	var page LinePage
	known := q.After <= 0 || len(lines) > 0 && lines[0].Seq == q.After
	for len(lines) > 0 && lines[0].Seq <= q.After {
		lines = lines[1:]
	}
	bound := q.Bound()
	if q.Tail > 0 {
		page.Lines = lines[max(0, len(lines)-bound):]
		return page
	}
	if len(lines) > bound {
		page.More, lines = true, lines[:bound]
	}
	page.Lines = lines
	if len(lines) > 0 && lines[0].N > 1 {
		page.Gap = q.After <= 0 || !known && lines[0].Seq != q.After+1
	}
	return page
}

// LineEdge is the oldest or the newest line of a channel as it is counted.
type LineEdge struct {
	Seq, N int64
	Total  int64 // bytes of all lines up to and with this one
	Bytes  int64 // of this one
}

// BoundsOf counts a channel by its oldest and its newest line; none if it is empty.
func BoundsOf(edges []LineEdge) LineBounds {
	if len(edges) == 0 {
		return LineBounds{}
	}
	first, last := edges[0], edges[len(edges)-1]
	return LineBounds{
		First: first.Seq, Last: last.Seq, Lines: last.N - first.N + 1, Bytes: last.Total - first.Total + first.Bytes, Dropped: first.N - 1,
	}
}

// RemovalPart is how many of the jobs, from the first on, can be removed in one transaction: as many as have together at most so many
// lines, and at least one. A job has up to 2 × MaxLines lines, so a thousand jobs may have more than a server removes in time.
func RemovalPart(ids []job.ID, lines map[job.ID]int64, most int64) (n int) {
	for sum := int64(0); n < len(ids); n++ {
		if sum += lines[ids[n]]; n > 0 && sum > most {
			break
		}
	}
	return n
}
