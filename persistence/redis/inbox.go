package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var _ persistence.Inbox = (*Inbox)(nil)

// Inbox is a persistence.Inbox on a Redis server. It is safe for concurrent use.
type Inbox struct {
	c *Client

	mu     sync.Mutex
	nonces map[claimer]string // of claims whose effect is unknown
}

// Known implements persistence.Inbox.
func (in *Inbox) Known(ctx context.Context, queue string, ids []job.ID) ([]bool, error) {
	known, err := in.all(ctx, knownScript, "look for jobs in "+queue, queue, ids)
	return known, err
}

// all runs a script that answers the positions for which something is not so.
func (in *Inbox) all(ctx context.Context, s *script, trying, queue string, ids []job.ID) ([]bool, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, err
	}
	answers := make([]bool, len(ids))
	for from := 0; from < len(ids); from += persistence.MaxBatch {
		part := ids[from:min(from+persistence.MaxBatch, len(ids))]
		l := newCall(s, &k.jobs)
		l.ids(len(part), func(i int) job.ID { return part[i] })
		not, err := run(ctx, in.c, l, trying, goredis.NewIntSliceCmd)
		if err != nil {
			return nil, err
		}
		except(answers[from:from+len(part)], not.Val())
	}
	return answers, nil
}

// except sets all answers but those at the given positions, which count from 1 as Lua does.
func except(answers []bool, not []int64) {
	for i := range answers {
		answers[i] = true
	}
	for _, position := range not {
		answers[position-1] = false
	}
}

// Remove implements persistence.Inbox.
func (in *Inbox) Remove(ctx context.Context, queue string, ids []job.ID) error {
	k, err := in.c.keys(queue)
	if err != nil {
		return err
	}
	for from := 0; from < len(ids); from += persistence.MaxBatch {
		part := ids[from:min(from+persistence.MaxBatch, len(ids))]
		l := newCall(removeScript, &k.jobs, &k.meta, &k.delayed, &k.cancels, &k.dead, &k.ghosts, &k.parked)
		l.ids(len(part), func(i int) job.ID { return part[i] })
		if _, err := run(ctx, in.c, l, "remove jobs from "+queue, goredis.NewIntCmd); err != nil {
			return err
		}
	}
	return nil
}

// RequestCancel implements persistence.Inbox.
func (in *Inbox) RequestCancel(ctx context.Context, queue string, id job.ID) error {
	k, err := in.c.keys(queue)
	if err != nil {
		return err
	}
	l := newCall(cancelScript, &k.jobs, &k.cancels)
	l.text(id.String())
	_, err = run(ctx, in.c, l, "request cancellation in "+queue, goredis.NewIntCmd)
	return err
}

// Ping implements persistence.Inbox: it writes, so that a server that is full, read-only or can't save says so.
func (in *Inbox) Ping(ctx context.Context) error {
	if in.c.cluster != nil {
		return in.c.pingCluster(ctx)
	}
	err := in.c.rdb.Set(ctx, in.c.config.Prefix+"ping", "", time.Minute).Err()
	return wrap(ctx, "ping", err)
}
