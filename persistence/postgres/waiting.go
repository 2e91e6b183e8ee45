package postgres

import (
	"context"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Waiting implements persistence.Store. The server's clock says what is due.
func (s *Store) Waiting(ctx context.Context, queue string, limit int) ([]job.ID, error) {
	var ids []job.ID
	params := [][]byte{
		[]byte(queue), int8Param(int64(min(max(limit, 0), persistence.MaxWaiting))), int8Param(persistence.WaitingSpan),
	}
	err := s.do(ctx, "read what waits in queue "+queue, func(ctx context.Context, c conn) error {
		ids = nil
		return c.rows(ctx, statements.waiting, params, func(row [][]byte) error {
			ids = append(ids, job.ID(row[0]))
			return nil
		})
	})
	return ids, err
}
