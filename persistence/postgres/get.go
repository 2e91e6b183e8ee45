package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Get implements persistence.Store.
func (s *Store) Get(ctx context.Context, ids []job.ID) ([]persistence.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found := make(map[job.ID]persistence.Record, len(ids))
	err := s.do(ctx, fmt.Sprintf("read %d jobs", len(ids)), func(ctx context.Context, c conn) error {
		clear(found)
		return s.get(ctx, c, ids, found)
	})
	if err != nil {
		return nil, err
	}
	records := make([]persistence.Record, 0, len(found))
	for _, id := range ids {
		if r, ok := found[id]; ok {
			records = append(records, r)
		}
	}
	return records, nil
}

func (s *Store) get(ctx context.Context, c conn, ids []job.ID, found map[job.ID]persistence.Record) error {
	return c.rows(ctx, statements.get, [][]byte{uuids(ids)}, func(row [][]byte) error {
		r, err := s.decodeRecord(row)
		found[r.Job.ID] = r
		return err
	})
}

// Live implements persistence.Store.
func (s *Store) Live(ctx context.Context, after job.ID, limit int) ([]persistence.Record, error) {
	var records []persistence.Record
	params := [][]byte{after[:], int8Param(int64(max(limit, 0)))}
	err := s.do(ctx, "read live jobs", func(ctx context.Context, c conn) error {
		records = nil
		return c.rows(ctx, statements.live, params, func(row [][]byte) error {
			r, err := s.decodeRecord(row)
			records = append(records, r)
			return err
		})
	})
	return records, err
}

// History implements persistence.Store.
func (s *Store) History(ctx context.Context, id job.ID) ([]job.Transition, error) {
	var history []job.Transition
	found := false
	err := s.do(ctx, "read the history of job "+id.String(), func(ctx context.Context, c conn) error {
		history, found = nil, false
		return c.rows(ctx, statements.history, [][]byte{id[:]}, func(row [][]byte) (err error) {
			found = true
			if row[0] != nil {
				history, err = decodeLines(history, row[0])
			}
			return err
		})
	})
	if err == nil && !found {
		err = fmt.Errorf("job %s: %w", id, persistence.ErrNotFound)
	}
	return inOrder(history), err
}

// inOrder are lines of history by rev, each once. A commit whose answer was lost is repeated together with what came since, and so may be kept
// twice: once alone, and once within that.
func inOrder(history []job.Transition) []job.Transition {
	slices.SortStableFunc(history, func(a, b job.Transition) int { return cmp.Compare(a.Rev, b.Rev) })
	return slices.CompactFunc(history, func(a, b job.Transition) bool { return a.Rev == b.Rev })
}

// RequestCancel implements persistence.Store.
func (s *Store) RequestCancel(ctx context.Context, id job.ID, word job.Cancel) (persistence.Record, error) {
	text, err := persistence.CancelText(word)
	if err != nil {
		return persistence.Record{}, err
	}
	found := map[job.ID]persistence.Record{}
	err = s.do(ctx, "request to cancel job "+id.String(), func(ctx context.Context, c conn) error {
		clear(found)
		if err := c.rows(ctx, statements.requestCancel, [][]byte{id[:], []byte(text)}, nil); err != nil {
			return err
		}
		return s.get(ctx, c, []job.ID{id}, found)
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("job %s: %w", id, persistence.ErrNotFound)
	}
	return found[id], err
}
