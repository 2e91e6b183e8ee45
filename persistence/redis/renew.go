package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// heldAndCancelled is the script's word for a lease that holds and whose job's cancellation was requested.
const heldAndCancelled = 4

// Renew implements persistence.Inbox.
func (in *Inbox) Renew(ctx context.Context, queue string, leases []persistence.Lease, term time.Duration) ([]persistence.Renewal, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, err
	}
	if term < time.Millisecond {
		return nil, invalid("a lease of %s", term)
	}
	answers := make([]persistence.Renewal, len(leases))
	for i := range answers {
		answers[i].State = persistence.Held
	}
	for from := 0; from < len(leases); from += persistence.MaxBatch {
		part := leases[from:min(from+persistence.MaxBatch, len(leases))]
		l := newCall(renewScript, &k.jobs, &k.meta, &k.leases, &k.cancels)
		l.number(term.Microseconds())
		l.number(int64(len(part)))
		l.ids(len(part), func(i int) job.ID { return part[i].ID })
		for i := 0; i < len(part); {
			n := 1
			for i+n < len(part) && part[i+n].Token == part[i].Token && part[i+n].Node == part[i].Node {
				n++
			}
			l.number(int64(n))
			l.text(fence(part[i].Token, part[i].Node))
			i += n
		}
		reply, err := run(ctx, in.c, l, "renew leases in "+queue, goredis.NewIntSliceCmd)
		if err != nil {
			return nil, err
		}
		for pair := reply.Val(); len(pair) >= 2; pair = pair[2:] {
			answer := &answers[from+int(pair[0])-1]
			if pair[1] == heldAndCancelled {
				answer.CancelRequested = true
			} else {
				answer.State = persistence.LeaseState(pair[1])
			}
		}
	}
	return answers, nil
}
