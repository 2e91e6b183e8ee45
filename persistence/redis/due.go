package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Due implements persistence.Inbox. One call moves at most persistence.MaxBatch; next is in the past if more wait.
func (in *Inbox) Due(ctx context.Context, queue string, max int) (moved int, next time.Time, err error) {
	k, err := in.c.keys(queue)
	if err != nil || max < 1 {
		return 0, time.Time{}, err
	}
	l := newCall(dueScript, &k.meta, &k.delayed, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3])
	l.text(k.name)
	l.text(in.c.wakeChannel())
	l.number(int64(min(max, persistence.MaxBatch)))
	reply, err := run(ctx, in.c, l, "move due jobs of "+queue, goredis.NewSliceCmd)
	if err != nil {
		return 0, time.Time{}, err
	}
	answer := reply.Val()
	if len(answer) != 2 {
		return 0, time.Time{}, fmt.Errorf("redis: move due jobs of %s: unexpected answer %v", queue, answer)
	}
	count, _ := answer[0].(int64)
	if score, _ := answer[1].(string); score != "" {
		ms, err := strconv.ParseFloat(score, 64)
		if err != nil {
			return 0, time.Time{}, fmt.Errorf("redis: move due jobs of %s: read the next due time: %w", queue, err)
		}
		next = time.UnixMilli(int64(ms)).UTC()
	}
	return int(count), next, nil
}

// Hasten implements persistence.Inbox.
func (in *Inbox) Hasten(ctx context.Context, queue string, tokens map[job.ID]int64) error {
	k, err := in.c.keys(queue)
	if err != nil {
		return err
	}
	ids := slices.SortedFunc(maps.Keys(tokens), job.ID.Compare)
	for part := range slices.Chunk(ids, persistence.MaxBatch) {
		l := newCall(hastenScript, &k.meta, &k.delayed, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3])
		l.text(k.name)
		l.text(in.c.wakeChannel())
		for _, id := range part {
			l.text(id.String())
			l.number(tokens[id])
		}
		if _, err := run(ctx, in.c, l, "hasten jobs of "+queue, goredis.NewIntCmd); err != nil {
			return err
		}
	}
	return nil
}
