package postgres

import (
	"context"
	"fmt"

	"github.com/meta-ad-studio/troupe/persistence"
)

// FindKey implements persistence.Store.
func (s *Store) FindKey(ctx context.Context, scope, key string) (persistence.BoundKey, error) {
	var found persistence.BoundKey
	err := s.do(ctx, "find an idempotency key", func(ctx context.Context, c conn) error {
		found = persistence.BoundKey{}
		return c.rows(ctx, statements.findKey, [][]byte{[]byte(scope), []byte(key)}, func(row [][]byte) error {
			found = decodeKey(row)
			return nil
		})
	})
	if err == nil && found.Job.IsZero() {
		err = fmt.Errorf("idempotency key %.80q: %w", key, persistence.ErrNotFound)
	}
	return found, err
}

// Keys implements persistence.Store.
func (s *Store) Keys(ctx context.Context, after persistence.BoundKey, limit int) ([]persistence.BoundKey, error) {
	var keys []persistence.BoundKey
	params := [][]byte{[]byte(after.Scope), []byte(after.Key), int8Param(int64(max(limit, 0)))}
	err := s.do(ctx, "read idempotency keys", func(ctx context.Context, c conn) error {
		keys = nil
		return c.rows(ctx, statements.keys, params, func(row [][]byte) error {
			keys = append(keys, decodeKey(row))
			return nil
		})
	})
	return keys, err
}
