package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Commit implements persistence.Store.
func (s *Store) Commit(ctx context.Context, writes []persistence.Write) ([]persistence.Outcome, error) {
	if len(writes) == 0 {
		return nil, nil
	}
	b, err := newBatch(writes)
	if err != nil {
		return nil, fmt.Errorf("commit %d jobs: %w", len(writes), err)
	}
	outcomes := make([]persistence.Outcome, len(writes))
	err = s.do(ctx, fmt.Sprintf("commit %d jobs", len(writes)), func(ctx context.Context, c conn) error {
		clear(b.written)
		if err := s.write(ctx, c, b, false); err != nil {
			return err
		}
		return b.outcomes(ctx, c, outcomes)
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// batch is the writes of one call.
type batch struct {
	writes  []persistence.Write
	rows    rows           // those to be written, in the order of ids
	index   map[job.ID]int // of each write
	written []bool         // by index: the row was changed by this call
	keys    bindings
}

func newBatch(writes []persistence.Write) (*batch, error) {
	if len(writes) > persistence.MaxBatch {
		return nil, fmt.Errorf("%w: %d writes, at most %d", persistence.ErrInvalid, len(writes), persistence.MaxBatch)
	}
	b := &batch{
		writes: writes, rows: make(rows, len(writes)), index: make(map[job.ID]int, len(writes)), written: make([]bool, len(writes)),
	}
	for i := range writes {
		b.rows[i] = &writes[i]
		b.index[writes[i].Job.ID] = i
	}
	if len(b.index) != len(writes) {
		return nil, fmt.Errorf("%w: two writes are of one job", persistence.ErrInvalid)
	}
	slices.SortFunc(b.rows, func(x, y *persistence.Write) int { return x.Job.ID.Compare(y.Job.ID) })
	b.keys = bindingsOf(writes)
	return b, nil
}

// mark notes that a row was written.
func (b *batch) mark(row [][]byte) error {
	i, ok := b.index[job.ID(row[0])]
	if !ok {
		return fmt.Errorf("the server answered for job %s, which was not written", job.ID(row[0]))
	}
	b.written[i] = true
	return nil
}

// known says whether all rows are probably there, because none of the writes begins a history. It is a guess for the
// sake of speed: right or wrong, each row is written once.
func (r rows) known() bool {
	return !slices.ContainsFunc(r, func(w *persistence.Write) bool {
		return w.Job.Rev == 1 || len(w.History) > 0 && w.History[0].Rev == 1
	})
}

// write makes all writes in one transaction. With refuse, those whose keys another job holds are left out. The
// statements go down the connection without a round trip in between where none needs the answer of another, and the
// transaction commits with the last.
//
// Each statement locks rows in the order of ids. A transaction has a second one that locks only for rows which the first
// did not find, and could only meet another such transaction in a deadlock, which ends in a repetition.
func (s *Store) write(ctx context.Context, c conn, b *batch, refuse bool) error {
	p, err := c.pipeline(ctx, statements.bindKeys, statements.holders, statements.update, statements.fences, statements.upsert)
	if err != nil {
		return err
	}
	defer p.close()
	if err := b.keys.bind(p, b, refuse); err != nil {
		return err
	}
	a := arraysPool.Get().(*arrays)
	defer a.release()
	missing := b.rows
	if missing.known() {
		if missing, err = b.update(p, a); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		a.reset()
		if err := missing.upsert(a, s.policies); err != nil {
			return err
		}
		p.send(statements.upsert, a.params(), b.mark)
	}
	return p.sync()
}

// update writes the rows that are there, and returns those that are not. It sends nothing of what was asked, which
// may be large and never changes.
func (b *batch) update(p *pipeline, a *arrays) (missing rows, err error) {
	if err := b.rows.update(a); err != nil {
		return nil, err
	}
	p.begin()
	p.send(statements.update, a.params(), b.mark)
	if err := p.flush(); err != nil {
		return nil, err
	}
	var ids []job.ID
	for _, w := range b.rows {
		if !b.written[b.index[w.Job.ID]] {
			missing, ids = append(missing, w), append(ids, w.Job.ID)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	refused := map[job.ID]bool{}
	p.send(statements.fences, [][]byte{uuids(ids)}, func(row [][]byte) error {
		id, fence := decodeFence(row)
		refused[id] = !fence.Admits(persistence.FenceOf(&b.writes[b.index[id]].Job)) // it may have come since the update began
		return nil
	})
	err = p.flush()
	return slices.DeleteFunc(missing, func(w *persistence.Write) bool { return refused[w.Job.ID] }), err
}

func (r rows) update(a *arrays) error {
	r.ids(a)
	if err := r.state(a); err != nil {
		return err
	}
	return r.lines(a)
}

func (r rows) upsert(a *arrays, policies *policyCache) error {
	r.ids(a)
	if err := r.asked(a, policies); err != nil {
		return err
	}
	if err := r.state(a); err != nil {
		return err
	}
	return r.lines(a)
}

// errMoved: a row that refused a write would take it now, or is gone. Somebody else is at work; the call is made again.
var errMoved = errors.New("rows moved while they were written")

// outcomes reads back what was not written: a row under the very fence of its write was written by it, in a call
// whose answer was lost.
func (b *batch) outcomes(ctx context.Context, c conn, outcomes []persistence.Outcome) error {
	var kept []job.ID
	for i, w := range b.written {
		outcomes[i] = persistence.Outcome{Applied: w}
		if !w {
			kept = append(kept, b.writes[i].Job.ID)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	found := 0
	err := c.rows(ctx, statements.fences, [][]byte{uuids(kept)}, func(row [][]byte) error {
		id, current := decodeFence(row)
		i := b.index[id]
		switch write := persistence.FenceOf(&b.writes[i].Job); {
		case current == write && timestamp(row[6]).Equal(b.writes[i].Job.Updated):
			outcomes[i] = persistence.Outcome{Applied: true}
		case current.Admits(write):
			return errMoved
		default:
			outcomes[i] = persistence.Outcome{Current: current}
		}
		found++
		return nil
	})
	if err == nil && found < len(kept) {
		err = errMoved
	}
	return err
}

// decodeFence reads a row of fences.sql.
func decodeFence(row [][]byte) (job.ID, persistence.Fence) {
	return job.ID(row[0]), persistence.Fence{
		Life: int4(row[1]), Status: job.Status(int2(row[2])), Token: int8(row[3]), Node: string(row[4]), Rev: int8(row[5]),
	}
}

var arraysPool = sync.Pool{New: func() any { return new(arrays) }}

// maxKeptBuffer bounds what the pool keeps: a batch of the largest payloads is 256 MiB.
const maxKeptBuffer = 8 << 20

func (a *arrays) release() {
	a.reset()
	if cap(a.buf) <= maxKeptBuffer {
		arraysPool.Put(a)
	}
}
