package sqlite

import (
	"context"
	"encoding/hex"

	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	keepSecret = inline("keep secret", "INSERT INTO node_secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
	readSecret = inline("read secret", "SELECT value FROM node_secrets WHERE name = ?1")
)

// Secret implements persistence.Store.
func (s store) Secret(ctx context.Context, name string, fresh []byte) (kept []byte, err error) {
	if err := persistence.CheckSecret(name, fresh); err != nil {
		return nil, err
	}
	err = s.writer.do(ctx, "keep a secret", 1, func(c *change) error {
		if _, err := c.exec(keepSecret, name, hex.EncodeToString(fresh)); err != nil {
			return err
		}
		return c.read(readSecret, []any{name}, func(r row) (err error) {
			kept, err = hex.DecodeString(r.text(0))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return kept, nil
}
