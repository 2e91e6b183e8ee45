package redis

import (
	"context"
	"fmt"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// depthLook is how many elements of each list are looked at for one that stands for a waiting job.
const depthLook = 256

// Depth implements persistence.Inbox. Dead counts the ids listed, at most Config.DeadLetters.
func (in *Inbox) Depth(ctx context.Context, queue string) (persistence.Depth, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return persistence.Depth{}, err
	}
	l := newCall(depthScript, &k.jobs, &k.meta, &k.leases, &k.delayed, &k.dead, &k.ghosts, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3], &k.parked)
	l.number(depthLook)
	reply, err := run(ctx, in.c, l, "count the jobs of "+queue, goredis.NewSliceCmd)
	if err != nil {
		return persistence.Depth{}, err
	}
	answer := reply.Val()
	var counts [6]int64
	if len(answer) < len(counts) {
		return persistence.Depth{}, fmt.Errorf("redis: count the jobs of %s: unexpected answer %v", queue, answer)
	}
	for i := range counts {
		counts[i], _ = answer[i].(int64)
	}
	depth := persistence.Depth{Waiting: max(counts[0]-counts[1]-counts[2], 0), Leased: counts[1], Delayed: counts[2], Dead: counts[3]}
	if counts[4] > 0 {
		depth.OldestDead = time.UnixMilli(counts[4])
	}
	heads := answer[len(counts):]
	if names := int(counts[5]); names > 0 && len(heads) >= 2*names {
		depth.Parked = make(map[string]int64, names)
		for ; names > 0; names, heads = names-1, heads[2:] {
			name, _ := heads[0].(string)
			depth.Parked[name], _ = heads[1].(int64)
		}
	}
	for _, head := range heads {
		text, _ := head.(string)
		id, err := job.ParseID(text)
		if err != nil {
			return persistence.Depth{}, fmt.Errorf("redis: count the jobs of %s: %w", queue, err)
		}
		depth.Oldest = earlier(depth.Oldest, id.Time())
	}
	return depth, nil
}

// earlier is the earlier of two times of which the first may be unset.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
