package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Delete implements persistence.Store.
func (s *Store) Delete(ctx context.Context, ids []job.ID) ([]job.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.removeAll(ctx, fmt.Sprintf("delete %d jobs", len(ids)), ids, int8Param(math.MaxInt64)) // infinity
}

// maxRemovedLines bounds the lines that go in one transaction: it takes well less than its time.
const maxRemovedLines = 200_000

// removeAll removes jobs in as many transactions as their lines need. What it could not do in time is left, and not answered: ask again.
func (s *Store) removeAll(ctx context.Context, doing string, ids []job.ID, before []byte) (gone []job.ID, err error) {
	var lines map[job.ID]int64
	err = s.do(ctx, doing, func(ctx context.Context, c conn) error {
		lines = map[job.ID]int64{}
		return c.rows(ctx, statements.weighLines, [][]byte{uuids(ids), int8Param(persistence.MaxLines)}, func(row [][]byte) error {
			lines[job.ID(row[0])] = int8(row[1])
			return nil
		})
	})
	for len(ids) > 0 && err == nil {
		n := persistence.RemovalPart(ids, lines, maxRemovedLines)
		err = s.do(ctx, doing, func(ctx context.Context, c conn) error {
			removed, err := remove(ctx, c, ids[:n], before)
			gone = append(gone, removed...) // also those of an earlier attempt
			return err
		})
		ids = ids[n:]
	}
	if len(gone) > 0 {
		return gone, nil
	}
	return nil, err
}

// Prune implements persistence.Store.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) ([]job.ID, error) {
	var ids []job.ID
	most := int8Param(int64(max(limit, 0)))
	err := s.do(ctx, "prune jobs", func(ctx context.Context, c conn) error {
		ids = nil
		err := c.rows(ctx, statements.expired, [][]byte{timeParam(before), most}, func(row [][]byte) error {
			ids = append(ids, job.ID(row[0]))
			return nil
		})
		if err != nil {
			return err
		}
		return c.rows(ctx, statements.dropKeys, [][]byte{most}, nil)
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return s.removeAll(ctx, "prune jobs", ids, timeParam(before))
}

func remove(ctx context.Context, c conn, ids []job.ID, before []byte) ([]job.ID, error) {
	var gone []job.ID
	err := c.rows(ctx, statements.remove, [][]byte{uuids(ids), before}, func(row [][]byte) error {
		gone = append(gone, job.ID(row[0]))
		return nil
	})
	return gone, err
}
