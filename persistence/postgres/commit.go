package postgres

import (
	"context"
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

// split parts the rows that this batch is the first to write, as far as can be told, from those that are probably there. It
// is a guess for the sake of speed: right or wrong, each row is written once.
func (b *batch) split() (fresh, known rows) {
	for _, w := range b.rows {
		if w.Job.Rev == 1 || len(w.History) > 0 && w.History[0].Rev == 1 {
			fresh = append(fresh, w)
		} else {
			known = append(known, w)
		}
	}
	return fresh, known
}

// write makes all writes in one transaction. With refuse, those whose keys another job holds are left out. The
// statements go down the connection without a round trip in between where none needs the answer of another, and the
// transaction commits with the last.
func (s *Store) write(ctx context.Context, c conn, b *batch, refuse bool) (err error) {
	p, err := c.pipeline(ctx, statements.bindKeys, statements.holders, statements.update, statements.upsert)
	if err != nil {
		return err
	}
	defer func() { p.close(err) }()
	if err := b.keys.bind(p, b, refuse); err != nil {
		return err
	}
	a := arraysPool.Get().(*arrays)
	defer a.release()
	fresh, known := b.split()
	if len(known) > 0 {
		if err := known.update(a); err != nil {
			return err
		}
		p.send(statements.update, a.params(), b.mark)
		if err := p.flush(); err != nil {
			return err
		}
		missed := slices.DeleteFunc(known, func(w *persistence.Write) bool { return b.written[b.index[w.Job.ID]] })
		fresh = append(fresh, missed...)
		slices.SortFunc(fresh, func(x, y *persistence.Write) int { return x.Job.ID.Compare(y.Job.ID) })
	}
	if len(fresh) > 0 {
		a.reset()
		if err := fresh.upsert(a, s.policies); err != nil {
			return err
		}
		p.send(statements.upsert, a.params(), b.mark)
	}
	return p.sync()
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
	return c.rows(ctx, statements.fences, [][]byte{uuids(kept)}, func(row [][]byte) error {
		i := b.index[job.ID(row[0])]
		current := persistence.Fence{
			Life: int4(row[1]), Status: job.Status(int2(row[2])), Token: int8(row[3]), Node: string(row[4]), Rev: int8(row[5]),
		}
		if current == persistence.FenceOf(&b.writes[i].Job) {
			outcomes[i] = persistence.Outcome{Applied: true}
		} else {
			outcomes[i] = persistence.Outcome{Current: current}
		}
		return nil
	})
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
