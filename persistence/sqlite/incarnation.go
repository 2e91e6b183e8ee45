package sqlite

import "context"

var nextIncarnation = inline("draw incarnation", "INSERT INTO node_incarnations (n, last) VALUES (1, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last")

// Incarnation implements persistence.Store.
func (s store) Incarnation(ctx context.Context) (n int64, err error) {
	err = s.writer.do(ctx, "draw an incarnation", 1, func(c *change) error {
		return c.read(nextIncarnation, nil, func(r row) error {
			n = r.int64(0)
			return nil
		})
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}
