package postgres

import (
	"context"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Queues implements persistence.Store.
func (s *Store) Queues(ctx context.Context) ([]persistence.QueueSettings, error) {
	var all []persistence.QueueSettings
	err := s.do(ctx, "read the settings of queues", func(ctx context.Context, c conn) error {
		all = nil
		return c.rows(ctx, statements.queues, nil, func(row [][]byte) error {
			all = append(all, persistence.QueueSettings{
				Name: string(row[0]), Paused: row[1][0] == 1, Reason: string(row[2]), Concurrency: int4(row[3]),
				Everywhere: int4(row[4]), Updated: timestamp(row[5]),
			})
			return nil
		})
	})
	return all, err
}

// SaveQueue implements persistence.Store.
func (s *Store) SaveQueue(ctx context.Context, q persistence.QueueSettings) error {
	params := [][]byte{[]byte(q.Name), boolParam(q.Paused), []byte(q.Reason), int4Param(q.Concurrency), int4Param(q.Everywhere), timeParam(q.Updated)}
	return s.do(ctx, "save the settings of queue "+q.Name, func(ctx context.Context, c conn) error {
		return c.rows(ctx, statements.saveQueue, params, nil)
	})
}
