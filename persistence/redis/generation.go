package redis

import (
	"context"
	"crypto/rand"
	"errors"

	goredis "github.com/redis/go-redis/v9"
)

// Generation implements persistence.Inbox. The name is kept in the server's own memory, so that it goes when that
// does. What can lose a part of the memory and keep the name makes another one, too: a replica's promotion, and every
// restart of a server that does not write each change to disk before it answers.
func (in *Inbox) Generation(ctx context.Context) (string, error) {
	c := in.c
	if c.cluster != nil {
		return c.clusterGeneration(ctx)
	}
	pipe := c.rdb.Pipeline()
	pipe.SetNX(ctx, c.generationKey(), rand.Text(), 0)
	name := pipe.Get(ctx, c.generationKey())
	info := pipe.Info(ctx)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, goredis.Nil) {
		return "", wrap(ctx, "read the generation", err)
	}
	server := parseInfo(info.Val())
	generation := name.Val()
	if server.promoted {
		generation += "/" + server.replid
	}
	if !c.Durable() {
		generation += "/" + server.runID
	}
	return generation, nil
}
