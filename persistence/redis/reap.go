package redis

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Reap implements persistence.Inbox. One call returns at most persistence.MaxBatch.
func (in *Inbox) Reap(ctx context.Context, queue string, max int) ([]job.ID, error) {
	k, err := in.c.keys(queue)
	if err != nil || max < 1 {
		return nil, err
	}
	l := newCall(reapScript, &k.meta, &k.leases, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3])
	l.text(k.name)
	l.text(in.c.wakeChannel())
	l.number(int64(min(max, persistence.MaxBatch)))
	reply, err := run(ctx, in.c, l, "reap leases of "+queue, goredis.NewStringSliceCmd)
	if err != nil {
		return nil, err
	}
	ids, err := parseIDs(reply.Val())
	if err != nil {
		return nil, fmt.Errorf("redis: reap leases of %s: %w", queue, err)
	}
	return ids, nil
}
