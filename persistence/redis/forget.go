package redis

import (
	"context"
	"errors"
	"strings"

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
	walk := c.rdb.Scan(ctx, 0, globs.Replace(c.config.Prefix)+"*", scanned).Iterator()
	var keys []string
	var failed error
	flush := func() {
		if len(keys) > 0 {
			failed = errors.Join(failed, c.rdb.Unlink(ctx, keys...).Err())
			keys = keys[:0]
		}
	}
	for failed == nil && walk.Next(ctx) {
		if keys = append(keys, walk.Val()); len(keys) == persistence.MaxBatch {
			flush()
		}
	}
	flush()
	return wrap(ctx, "forget "+c.config.Prefix, errors.Join(failed, walk.Err()))
}
