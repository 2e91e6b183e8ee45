package reference

import (
	"context"

	"github.com/meta-ad-studio/troupe/persistence"
)

// channel is what was said on one channel of a job. It is kept in the job's row, and goes with it.
type channel struct {
	lines   []persistence.Line
	dropped int64
	bytes   int64 // of all lines kept
}

func (c *channel) drop() {
	c.bytes -= int64(len(c.lines[0].Text))
	c.lines = c.lines[1:]
	c.dropped++
}

// AppendLines implements persistence.Store.
func (s *Store) AppendLines(ctx context.Context, appends []persistence.Append) ([]persistence.Appended, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := persistence.CheckAppends(appends); err != nil {
		return nil, err
	}
	var answers []persistence.Appended
	for i := range appends {
		answers = append(answers, s.append(&appends[i]))
	}
	return answers, nil
}

func (s *Store) append(a *persistence.Append) persistence.Appended {
	r := s.rows[a.Job]
	if r == nil {
		return persistence.Appended{State: persistence.LinesEarly}
	}
	if !persistence.FenceOf(&r.Job).AdmitsLines(a.Token, a.Node) && s.fault != "lines of anybody" {
		return persistence.Appended{State: persistence.LinesRefused}
	}
	if r.said == nil {
		r.said = map[persistence.Channel]*channel{persistence.Log: {}, persistence.Output: {}}
	}
	c := r.said[a.Channel]
	last := int64(0)
	if n := len(c.lines); n > 0 {
		last = c.lines[n-1].Seq
	}
	if last >= persistence.LineSeq(a.Token+1, 0) {
		return persistence.Appended{State: persistence.LinesRefused}
	}
	var fresh []persistence.Line
	bytes := c.bytes
	for _, l := range a.Lines {
		if l.Seq > last || s.fault == "lines twice" {
			l.N = c.dropped + int64(len(c.lines)+len(fresh)+1)
			fresh = append(fresh, l)
			bytes += int64(len(l.Text))
		}
	}
	over := func() bool { return len(c.lines) > persistence.MaxLines || c.bytes > persistence.MaxLineBytes }
	if a.Channel == persistence.Output && s.fault != "output without end" &&
		(len(c.lines)+len(fresh) > persistence.MaxLines || bytes > persistence.MaxLineBytes) {
		return persistence.Appended{State: persistence.LinesFull}
	}
	c.lines, c.bytes = append(c.lines, fresh...), bytes
	before := c.dropped
	for a.Channel == persistence.Log && over() && s.fault != "log without end" {
		c.drop()
	}
	return persistence.Appended{State: persistence.LinesTaken, Dropped: int(c.dropped - before)}
}

// ReadLines implements persistence.Store.
func (s *Store) ReadLines(ctx context.Context, q persistence.LineQuery) (persistence.LinePage, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return persistence.LinePage{}, err
	}
	defer unlock()
	r := s.rows[q.Job]
	if r == nil || r.said == nil || len(r.said[q.Channel].lines) == 0 {
		return persistence.LinePage{}, nil
	}
	c := r.said[q.Channel]
	var lines []persistence.Line
	for _, l := range c.lines {
		if l.Seq >= q.After {
			lines = append(lines, l)
		}
	}
	page := q.Page(lines)
	if s.fault == "gaps are not told" {
		page.Gap = false
	}
	page.Bounds = persistence.LineBounds{
		First: c.lines[0].Seq, Last: c.lines[len(c.lines)-1].Seq, Lines: int64(len(c.lines)), Bytes: c.bytes, Dropped: c.dropped,
	}
	return page, nil
}
