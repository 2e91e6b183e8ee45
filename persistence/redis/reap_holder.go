package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// ReapHolder implements persistence.Inbox. One call looks at about max leases, at most persistence.MaxBatch; a queue that has few, it looks
// at all at once. What is returned by one call keeps its order; of two calls the later goes in front.
func (in *Inbox) ReapHolder(ctx context.Context, queue, node, after string, max int) (reaped []job.ID, next string, err error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, "", err
	}
	if err := fitsNode(node); err != nil {
		return nil, "", err
	}
	cursor := after
	if cursor == "" {
		cursor = "0"
	} else if n, err := strconv.ParseUint(cursor, 10, 64); err != nil || n == 0 {
		return nil, "", invalid("the cursor %.80q", after)
	}
	if max < 1 {
		return nil, after, nil
	}
	l := newCall(reapHolderScript, &k.meta, &k.leases, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3])
	l.text(k.name)
	l.text(in.c.wakeChannel())
	l.text(node)
	l.text(cursor)
	l.number(int64(min(max, persistence.MaxBatch)))
	reply, err := run(ctx, in.c, l, "reap leases of "+node+" in "+queue, goredis.NewStringSliceCmd)
	if err != nil {
		return nil, "", err
	}
	answer := reply.Val()
	if len(answer) == 0 {
		return nil, "", fmt.Errorf("redis: reap leases of %s in %s: no answer", node, queue)
	}
	if next = answer[0]; next == "0" {
		next = ""
	}
	if reaped, err = parseIDs(answer[1:]); err != nil {
		return nil, "", fmt.Errorf("redis: reap leases of %s in %s: %w", node, queue, err)
	}
	slices.Reverse(reaped) // the script pushes to the front, the last first
	return reaped, next, nil
}

func parseIDs(texts []string) ([]job.ID, error) {
	ids := make([]job.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = job.ParseID(text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
