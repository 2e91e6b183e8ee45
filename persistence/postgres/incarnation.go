package postgres

import "context"

var nextIncarnation = load("incarnation")

// Incarnation implements persistence.Store.
func (s *Store) Incarnation(ctx context.Context) (n int64, err error) {
	err = s.do(ctx, "draw an incarnation", func(ctx context.Context, c conn) error {
		return c.rows(ctx, nextIncarnation, nil, func(row [][]byte) error {
			n = int8(row[0])
			return nil
		})
	})
	return n, err
}
