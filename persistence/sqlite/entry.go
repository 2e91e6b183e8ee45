package sqlite

import (
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// entry is what the inbox has of a job, without its envelope.
type entry struct {
	n       int64 // row
	state   entryState
	life    int
	token   int64
	crashes int
	cancel  bool
	node    string // of who holds it, or the name under which it is parked
}

// heldBy says whether the lease is the one under which the job is held. A lease that ended holds until it is reaped.
func (e *entry) heldBy(l persistence.Lease) bool {
	return e != nil && e.state == leased && e.token == l.Token && e.node == l.Node
}

var (
	lookupEntries = load("lookup_entries")
	insertEntry   = load("insert_entry")
	replaceEntry  = load("replace_entry")
	deleteEntries = inline("delete entries", "DELETE FROM inbox WHERE n IN (SELECT value FROM json_each(?1))")
)

// entries finds what the inbox has of the jobs, in the order of the ids; nil for what it does not know.
func (c *change) entries(q *queue, ids []job.ID) ([]*entry, error) {
	found := make([]*entry, len(ids))
	err := c.read(lookupEntries, []any{q.n, idList(ids)}, func(r row) error {
		found[r.int(0)] = &entry{
			n: r.int64(1), state: entryState(r.int(2)), life: r.int(3), token: r.int64(4), crashes: r.int(5),
			cancel: r.int(6) != 0, node: r.text(7),
		}
		return nil
	})
	return found, err
}

// insert puts an entry into the queue unless its id is known there, and says whether it did.
func (c *change) insert(q *queue, e *persistence.Entry, to entryState, due int64, node string) (bool, error) {
	changed, err := c.exec(insertEntry, q.n, e.ID[:], int(to), e.Priority, q.next.last(), due, e.Life, e.Token, e.Crashes, node, orEmpty(e.Envelope))
	if err != nil || changed == 0 {
		return false, err
	}
	*q.next.in(to)++
	return true, nil
}

// drop forgets entries.
func (c *change) drop(q *queue, entries []*entry) error {
	if len(entries) == 0 {
		return nil
	}
	rows := make([]int64, len(entries))
	for i, e := range entries {
		rows[i] = e.n
		q.next.add(e, -1)
	}
	_, err := c.exec(deleteEntries, numberList(rows))
	return err
}

// orEmpty is the value as a column takes it that knows no NULL.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// within refuses a call that carries more than MaxBatch.
func within(doing string, n int) error {
	if n > persistence.MaxBatch {
		return fmt.Errorf("%s: %w: %d at once, at most %d", doing, persistence.ErrInvalid, n, persistence.MaxBatch)
	}
	return nil
}
