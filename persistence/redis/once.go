package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Once is a persistence.Once on a Redis server: a key for each mark, which the server removes by itself. A failover may lose
// the marks of the last moment.
type Once struct{ c *Client }

var _ persistence.Once = (*Once)(nil)

// Once is the server as a persistence.Once.
func (c *Client) Once() *Once { return &Once{c} }

func (o *Once) key(key string) string { return o.c.config.Prefix + "once:" + key }

// Spend implements persistence.Once. The client repeats a call whose answer it missed: the mark carries a word of this call's
// own, by which a call knows the mark that it left itself.
func (o *Once) Spend(ctx context.Context, key string, stay time.Duration) (bool, error) {
	if err := persistence.CheckOnce(key, stay); err != nil {
		return false, err
	}
	own := rand.Text()
	found, err := o.c.rdb.SetArgs(ctx, o.key(key), own, goredis.SetArgs{Mode: "NX", Get: true, TTL: stay.Truncate(time.Millisecond)}).Result()
	if errors.Is(err, goredis.Nil) {
		return true, nil
	}
	if err != nil {
		return false, wrap(ctx, "spend a key", err)
	}
	return found == own, nil
}

// Spent implements persistence.Once.
func (o *Once) Spent(ctx context.Context, key string) (bool, error) {
	if err := persistence.CheckOnce(key, time.Hour); err != nil {
		return false, err
	}
	n, err := o.c.rdb.Exists(ctx, o.key(key)).Result()
	return n > 0, wrap(ctx, "look for a mark", err)
}
