package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Enqueue implements persistence.Inbox. A due time that this machine's clock calls past is past; only what it calls
// ahead is put to the server's clock.
func (in *Inbox) Enqueue(ctx context.Context, queue string, entries []persistence.Entry) ([]persistence.Enqueued, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, err
	}
	if err := fits(entries); err != nil || len(entries) == 0 {
		return nil, err
	}
	l := newCall(enqueueScript, &k.jobs, &k.meta, &k.leases, &k.delayed, &k.cancels, &k.dead, &k.ghosts,
		&k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3], &k.parked)
	fixed := l.keys
	for i := range entries {
		if key := entries[i].Key; key != nil {
			l.key(k.bound(key))
		}
	}
	l.text(k.name)
	l.text(in.c.wakeChannel())
	l.number(int64(len(entries)))
	l.ids(len(entries), func(i int) job.ID { return entries[i].ID })
	l.values(entries)
	l.extras(entries, fixed, time.Now())
	refused, err := run(ctx, in.c, l, "enqueue in "+queue, goredis.NewStringSliceCmd)
	if err != nil {
		return nil, err
	}
	return enqueued(len(entries), refused.Val())
}

// extras adds what the script can't assume of a job. A life after the first is more than new: it may be listed as dead.
func (l *call) extras(entries []persistence.Entry, fixed int, now time.Time) {
	index := fixed
	for i := range entries {
		e := &entries[i]
		ahead := !e.RunAt.IsZero() && e.RunAt.After(now)
		if !ahead && e.Token == 0 && e.Crashes == 0 && e.Key == nil && e.Life <= 1 {
			continue
		}
		l.number(int64(i + 1))
		if ahead {
			l.number(millis(e.RunAt))
		} else {
			l.text("0")
		}
		l.number(e.Token)
		l.number(int64(e.Crashes))
		if e.Key == nil {
			l.text("0")
			l.text("")
			l.text("0")
			continue
		}
		index++
		l.number(int64(index))
		l.text(e.Key.Fingerprint)
		l.number(max(e.Key.TTL.Milliseconds(), 1))
	}
}

// millis is the first whole millisecond that is not before t.
func millis(t time.Time) int64 {
	return t.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

func enqueued(n int, refused []string) ([]persistence.Enqueued, error) {
	answers := make([]persistence.Enqueued, n)
	for i := range answers {
		answers[i].Accepted = true
	}
	for i := 0; i+1 < len(refused); i += 2 {
		position, err := strconv.Atoi(refused[i])
		if err != nil || position < 1 || position > n || len(refused[i+1]) <= idBytes {
			return nil, fmt.Errorf("redis: enqueue: unexpected answer %.80q", refused[i:i+2])
		}
		holder, err := job.ParseID(refused[i+1][:idBytes])
		if err != nil {
			return nil, fmt.Errorf("redis: enqueue: read a key's holder: %w", err)
		}
		answers[position-1] = persistence.Enqueued{Holder: holder, Fingerprint: refused[i+1][idBytes+1:]}
	}
	return answers, nil
}
