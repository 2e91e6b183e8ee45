package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/meta-ad-studio/troupe/persistence"
)

const oidBytea = 17

// AppendLines implements persistence.Lines.
func (s *Store) AppendLines(ctx context.Context, appends []persistence.Append) ([]persistence.Appended, error) {
	doing := fmt.Sprintf("append to %d channels", len(appends))
	if err := persistence.CheckAppends(appends); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	if len(appends) == 0 {
		return nil, nil
	}
	params := appendParams(appends)
	answers := make([]persistence.Appended, 0, len(appends))
	err := s.do(ctx, doing, func(ctx context.Context, c conn) error {
		answers = answers[:0]
		return c.rows(ctx, statements.appendLines, params, func(row [][]byte) error {
			answers = append(answers, appended(row))
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return answers, nil
}

func appended(row [][]byte) persistence.Appended {
	there, admitted, overfull := row[0][0] == 1, row[1][0] == 1, row[2][0] == 1
	switch {
	case !there:
		return persistence.Appended{State: persistence.LinesEarly}
	case !admitted:
		return persistence.Appended{State: persistence.LinesRefused}
	case overfull:
		return persistence.Appended{State: persistence.LinesFull}
	}
	return persistence.Appended{State: persistence.LinesTaken, Dropped: int(int8(row[3]))}
}

// appendParams are the appends, a column each, and then their lines.
func appendParams(appends []persistence.Append) [][]byte {
	a, lines := arrays{}, 0
	a.open(oidUUID, len(appends))
	for i := range appends {
		a.uuid(appends[i].Job)
		lines += len(appends[i].Lines)
	}
	a.open(oidInt2, len(appends))
	for i := range appends {
		a.int2(int(appends[i].Channel))
	}
	a.open(oidInt8, len(appends))
	for i := range appends {
		a.int8(appends[i].Token)
	}
	a.open(oidText, len(appends))
	for i := range appends {
		a.text(appends[i].Node)
	}
	column := func(oid uint32, element func(place int, l *persistence.Line)) {
		a.open(oid, lines)
		for i := range appends {
			for n := range appends[i].Lines {
				element(i+1, &appends[i].Lines[n])
			}
		}
	}
	column(oidInt8, func(place int, _ *persistence.Line) { a.int8(int64(place)) })
	column(oidInt8, func(_ int, l *persistence.Line) { a.int8(l.Seq) })
	column(oidTimestamptz, func(_ int, l *persistence.Line) { a.int8(l.At.UnixMicro() - epoch) })
	column(oidInt2, func(_ int, l *persistence.Line) { a.int2(int(l.Level)) })
	column(oidInt4, func(_ int, l *persistence.Line) { a.int4(l.Attempt) })
	column(oidBytea, func(_ int, l *persistence.Line) { a.text(l.Text) })
	return append(a.params(), int8Param(persistence.MaxLines), int8Param(persistence.MaxLineBytes))
}

// ReadLines implements persistence.Lines.
func (s *Store) ReadLines(ctx context.Context, q persistence.LineQuery) (persistence.LinePage, error) {
	var page persistence.LinePage
	channel := []byte{0, byte(q.Channel)}
	err := s.do(ctx, fmt.Sprintf("read the %s of job %s", q.Channel, q.Job), func(ctx context.Context, c conn) error {
		var lines []persistence.Line
		// One line more than asked for tells whether there are more; the one at the cursor, whether any were removed behind it.
		params := [][]byte{q.Job[:], channel, int8Param(q.After), int8Param(int64(q.Bound() + 2)), boolParam(q.Tail > 0)}
		err := c.rows(ctx, statements.readLines, params, func(row [][]byte) error {
			lines = append(lines, persistence.Line{
				Seq: int8(row[0]), At: timestamp(row[1]), Level: persistence.Level(int2(row[2])), Attempt: int4(row[3]), N: int8(row[4]), Text: string(row[5]),
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
		var edges []persistence.LineEdge
		err = c.rows(ctx, statements.boundLines, [][]byte{q.Job[:], channel}, func(row [][]byte) error {
			edges = append(edges, persistence.LineEdge{Seq: int8(row[0]), N: int8(row[1]), Total: int8(row[2]), Bytes: int64(int4(row[3]))})
			return nil
		})
		page.Bounds = persistence.BoundsOf(edges)
		return err
	})
	return page, err
}
