package sqlite

import (
	"context"
	"fmt"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	lineFence = inline("read the fence of lines", "SELECT status, token, node FROM jobs WHERE id = ?1")
	newestEnd = inline("find the newest line", "SELECT seq, n, total, length(line) FROM job_lines WHERE job = ?1 AND channel = ?2 ORDER BY seq DESC LIMIT 1")
	oldestEnd = inline("find the oldest line", "SELECT seq, n, total, length(line) FROM job_lines WHERE job = ?1 AND channel = ?2 ORDER BY seq LIMIT 1")
	addLine   = inline("add line", "INSERT INTO job_lines (job, channel, seq, at, level, attempt, n, total, line) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
	firstKept = inline("find the first line to keep",
		"SELECT seq FROM job_lines WHERE job = ?1 AND channel = ?2 AND n > ?3 AND total - length(line) >= ?4 ORDER BY seq LIMIT 1")
	dropLines   = inline("drop lines", "DELETE FROM job_lines WHERE job = ?1 AND channel = ?2 AND seq < ?3")
	linesFrom   = inline("read lines", "SELECT seq, at, level, attempt, n, line FROM job_lines WHERE job = ?1 AND channel = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4")
	newestLines = inline("read the newest lines",
		"SELECT seq, at, level, attempt, n, line FROM job_lines WHERE job = ?1 AND channel = ?2 AND seq >= ?3 ORDER BY seq DESC LIMIT ?4")
)

// AppendLines implements persistence.Lines.
func (s store) AppendLines(ctx context.Context, appends []persistence.Append) ([]persistence.Appended, error) {
	const doing = "append lines"
	if err := persistence.CheckAppends(appends); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if len(appends) == 0 {
		return nil, nil
	}
	lines := 0
	for i := range appends {
		lines += len(appends[i].Lines)
	}
	answers := make([]persistence.Appended, len(appends))
	err := s.writer.do(ctx, doing, lines, func(c *change) (err error) {
		for i := range appends {
			if answers[i], err = c.appendLines(&appends[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

func (c *change) appendLines(a *persistence.Append) (persistence.Appended, error) {
	state := persistence.LinesEarly
	err := c.read(lineFence, []any{a.Job[:]}, func(r row) error {
		status, err := job.ParseStatus(r.text(0))
		fence := persistence.Fence{Status: status, Token: r.int64(1), Node: r.text(2)}
		if state = persistence.LinesRefused; fence.AdmitsLines(a.Token, a.Node) {
			state = persistence.LinesTaken
		}
		return err
	})
	if err != nil || state != persistence.LinesTaken {
		return persistence.Appended{State: state}, err
	}
	last, err := lineEdge(c.read, newestEnd, a.Job, a.Channel)
	if err != nil {
		return persistence.Appended{}, err
	}
	if last.Seq >= persistence.LineSeq(a.Token+1, 0) {
		return persistence.Appended{State: persistence.LinesRefused}, nil
	}
	lines := a.Lines
	for len(lines) > 0 && lines[0].Seq <= last.Seq {
		lines = lines[1:]
	}
	grown := last
	for i := range lines {
		grown.N++
		grown.Total += int64(len(lines[i].Text))
	}
	if a.Channel == persistence.Output && (grown.N > persistence.MaxLines || grown.Total > persistence.MaxLineBytes) {
		return persistence.Appended{State: persistence.LinesFull}, nil
	}
	for i := range lines {
		l := &lines[i]
		last.N++
		last.Total += int64(len(l.Text))
		if _, err := c.exec(addLine, a.Job[:], int(a.Channel), l.Seq, l.At.UnixMicro(), int(l.Level), l.Attempt, last.N, last.Total, []byte(l.Text)); err != nil {
			return persistence.Appended{}, err
		}
	}
	dropped := int64(0)
	if a.Channel == persistence.Log && len(lines) > 0 && (grown.N > persistence.MaxLines || grown.Total > persistence.MaxLineBytes) {
		dropped, err = c.dropLines(a, grown)
	}
	return persistence.Appended{State: persistence.LinesTaken, Dropped: int(dropped)}, err
}

// dropLines removes the oldest lines of a log that has become too long.
func (c *change) dropLines(a *persistence.Append, grown persistence.LineEdge) (dropped int64, err error) {
	var since int64
	args := []any{a.Job[:], int(a.Channel), grown.N - persistence.MaxLines, grown.Total - persistence.MaxLineBytes}
	if err := c.read(firstKept, args, func(r row) error { since = r.int64(0); return nil }); err != nil {
		return 0, err
	}
	return c.exec(dropLines, a.Job[:], int(a.Channel), since)
}

// lineEdge reads the oldest or the newest line of a channel; zero if it is empty.
func lineEdge(read func(*query, []any, func(row) error) error, q *query, id job.ID, channel persistence.Channel) (edge persistence.LineEdge, err error) {
	err = read(q, []any{id[:], int(channel)}, func(r row) error {
		edge = persistence.LineEdge{Seq: r.int64(0), N: r.int64(1), Total: r.int64(2), Bytes: r.int64(3)}
		return nil
	})
	return edge, err
}

// ReadLines implements persistence.Lines.
func (s store) ReadLines(ctx context.Context, q persistence.LineQuery) (page persistence.LinePage, err error) {
	statement := linesFrom
	if q.Tail > 0 {
		statement = newestLines
	}
	err = s.readers.use(ctx, "read lines", func(c *connection) error {
		read := func(q *query, args []any, each func(row) error) error { return c.read(ctx, q, args, each) }
		var lines []persistence.Line
		// One line more than asked for tells whether there are more; the one at the cursor, whether any were removed behind it.
		err := read(statement, []any{q.Job[:], int(q.Channel), q.After, q.Bound() + 2}, func(r row) error {
			lines = append(lines, persistence.Line{
				Seq: r.int64(0), At: r.time(1), Level: persistence.Level(r.int(2)), Attempt: r.int(3), N: r.int64(4), Text: string(r.blob(5)),
			})
			return nil
		})
		if err != nil {
			return err
		}
		if q.Tail > 0 {
			slices.Reverse(lines)
		}
		page = q.Page(lines)
		if len(lines) == 0 && q.After <= 0 {
			return nil
		}
		first, err := lineEdge(read, oldestEnd, q.Job, q.Channel)
		if err != nil {
			return err
		}
		last, err := lineEdge(read, newestEnd, q.Job, q.Channel)
		if err == nil && last.Seq > 0 {
			page.Bounds = persistence.BoundsOf([]persistence.LineEdge{first, last})
		}
		return err
	})
	return page, err
}
