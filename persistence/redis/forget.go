package redis

import (
	"context"
	"errors"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// scanned is how many keys the server looks at in one step of a walk over all it has.
const scanned = 1000

var globs = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

// Forget removes every key that begins with the client's prefix, jobs that wait and all. It is for a scratch prefix, of
// measuring or testing, once nobody uses it any more: what is written meanwhile may stay. It walks over all keys of the server, in steps
// that let others have a turn. Without a prefix it is refused: it would empty the database.
func (c *Client) Forget(ctx context.Context) error {
	if c.config.Prefix == "" {
		return invalid("forget a prefix that is empty")
	}
	err := c.masters(ctx, func(ctx context.Context, server *goredis.Client) error {
		walk := server.Scan(ctx, 0, globs.Replace(c.config.Prefix)+"*", scanned).Iterator()
		var keys []string
		var failed error
		flush := func() {
			if len(keys) > 0 {
				failed = errors.Join(failed, c.unlink(ctx, keys))
				keys = keys[:0]
			}
		}
		for failed == nil && walk.Next(ctx) {
			if keys = append(keys, walk.Val()); len(keys) == persistence.MaxBatch {
				flush()
			}
		}
		flush()
		return errors.Join(failed, walk.Err())
	})
	return wrap(ctx, "forget "+c.config.Prefix, err)
}

// unlink removes keys, which in a cluster lie in many slots.
func (c *Client) unlink(ctx context.Context, keys []string) error {
	if c.cluster == nil {
		return c.rdb.Unlink(ctx, keys...).Err()
	}
	pipe := c.rdb.Pipeline()
	for _, key := range keys {
		pipe.Unlink(ctx, key)
	}
	_, err := pipe.Exec(ctx)
	return err
}
