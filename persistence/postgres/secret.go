package postgres

import (
	"bytes"
	"context"

	"github.com/meta-ad-studio/troupe/persistence"
)

var keepSecret = load("keep_secret")

// Secret implements persistence.Store.
func (s *Store) Secret(ctx context.Context, name string, fresh []byte) (kept []byte, err error) {
	if err := persistence.CheckSecret(name, fresh); err != nil {
		return nil, err
	}
	err = s.do(ctx, "keep secret "+name, func(ctx context.Context, c conn) error {
		return c.rows(ctx, keepSecret, [][]byte{[]byte(name), fresh}, func(row [][]byte) error {
			kept = bytes.Clone(row[0])
			return nil
		})
	})
	return kept, err
}
