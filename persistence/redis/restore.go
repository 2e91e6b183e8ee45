package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Restore implements persistence.Inbox.
func (in *Inbox) Restore(ctx context.Context, queue, node string, entries []persistence.Entry, lease time.Duration) ([]bool, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, err
	}
	if err := fitsNode(node); err != nil {
		return nil, err
	}
	if lease < time.Millisecond {
		return nil, invalid("a lease of %s", lease)
	}
	if err := fits(entries); err != nil || len(entries) == 0 {
		return nil, err
	}
	l := newCall(restoreScript, &k.jobs, &k.meta, &k.leases, &k.ghosts, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3])
	fixed := l.keys
	for i := range entries {
		if key := entries[i].Key; key != nil {
			l.key(k.bound(key))
		}
	}
	l.number(lease.Microseconds())
	l.number(int64(len(entries)))
	l.ids(len(entries), func(i int) job.ID { return entries[i].ID })
	l.values(entries)
	for i := range entries {
		l.text(leased(&entries[i], node))
	}
	index := fixed
	for i := range entries {
		if key := entries[i].Key; key != nil {
			index++
			l.number(int64(i + 1))
			l.number(int64(index))
			l.text(key.Fingerprint)
			l.number(max(key.TTL.Milliseconds(), 1))
		}
	}
	known, err := run(ctx, in.c, l, "restore jobs to "+queue, goredis.NewIntSliceCmd)
	if err != nil {
		return nil, err
	}
	answers := make([]bool, len(entries))
	except(answers, known.Val())
	return answers, nil
}
