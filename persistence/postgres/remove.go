package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Delete implements persistence.Store.
func (s *Store) Delete(ctx context.Context, ids []job.ID) ([]job.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var gone []job.ID
	err := s.do(ctx, fmt.Sprintf("delete %d jobs", len(ids)), func(ctx context.Context, c conn) (err error) {
		gone, err = remove(ctx, c, ids, int8Param(math.MaxInt64)) // infinity
		return err
	})
	return gone, err
}

// Prune implements persistence.Store.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) ([]job.ID, error) {
	var gone []job.ID
	most := int8Param(int64(max(limit, 0)))
	err := s.do(ctx, "prune jobs", func(ctx context.Context, c conn) error {
		var ids []job.ID
		err := c.rows(ctx, statements.expired, [][]byte{timeParam(before), most}, func(row [][]byte) error {
			ids = append(ids, job.ID(row[0]))
			return nil
		})
		if err != nil {
			return err
		}
		if err := c.rows(ctx, statements.dropKeys, [][]byte{most}, nil); err != nil || len(ids) == 0 {
			return err
		}
		removed, err := remove(ctx, c, ids, timeParam(before))
		gone = append(gone, removed...) // also those of an earlier attempt
		return err
	})
	return gone, err
}

func remove(ctx context.Context, c conn, ids []job.ID, before []byte) ([]job.ID, error) {
	var gone []job.ID
	err := c.rows(ctx, statements.remove, [][]byte{uuids(ids), before}, func(row [][]byte) error {
		gone = append(gone, job.ID(row[0]))
		return nil
	})
	return gone, err
}
