package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	findKey       = inline("find key", "SELECT scope, key, job, fingerprint, expires_at FROM idempotency_keys WHERE scope = ?1 AND key = ?2 AND expires_at > ?3")
	readKeys      = load("read_keys")
	readSettings  = inline("read queue settings", "SELECT name, paused, reason, concurrency, everywhere, updated_at FROM queue_settings ORDER BY name")
	writeSettings = load("save_queue_settings")
)

func (r row) boundKey() persistence.BoundKey {
	return persistence.BoundKey{Scope: r.text(0), Key: r.text(1), Job: r.id(2), Fingerprint: r.text(3), Expires: r.time(4)}
}

// FindKey implements persistence.Store.
func (s store) FindKey(ctx context.Context, scope, key string) (bound persistence.BoundKey, err error) {
	const doing = "find key"
	found := false
	err = s.readers.read(ctx, doing, findKey, []any{scope, key, time.Now().UnixMicro()}, func(r row) error {
		bound, found = r.boundKey(), true
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", doing, persistence.ErrNotFound)
	}
	return bound, err
}

// Keys implements persistence.Store.
func (s store) Keys(ctx context.Context, after persistence.BoundKey, limit int) (keys []persistence.BoundKey, err error) {
	err = s.readers.read(ctx, "read keys", readKeys, []any{after.Scope, after.Key, time.Now().UnixMicro(), max(limit, 0)}, func(r row) error {
		keys = append(keys, r.boundKey())
		return nil
	})
	return keys, err
}

// Queues implements persistence.Store.
func (s store) Queues(ctx context.Context) (all []persistence.QueueSettings, err error) {
	err = s.readers.read(ctx, "read queue settings", readSettings, nil, func(r row) error {
		all = append(all, persistence.QueueSettings{
			Name: r.text(0), Paused: r.int(1) != 0, Reason: r.text(2), Concurrency: r.int(3), Everywhere: r.int(4), Updated: r.time(5),
		})
		return nil
	})
	return all, err
}

// SaveQueue implements persistence.Store.
func (s store) SaveQueue(ctx context.Context, settings persistence.QueueSettings) error {
	return s.writer.do(ctx, "save queue settings", 1, func(c *change) error {
		paused := 0
		if settings.Paused {
			paused = 1
		}
		_, err := c.exec(writeSettings, settings.Name, paused, settings.Reason, settings.Concurrency, settings.Everywhere, settings.Updated.UnixMicro())
		return err
	})
}
