package redis

import (
	"context"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var verbs = [...]string{
	persistence.Ack: "ack", persistence.Dead: "dead", persistence.Delay: "delay", persistence.Return: "return", persistence.Park: "park",
}

// Settle implements persistence.Inbox. A lease should stand once in a call. More than persistence.MaxBatch settlements
// are settled in parts, each in one step.
func (in *Inbox) Settle(ctx context.Context, queue string, settlements []persistence.Settlement) ([]bool, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, err
	}
	for i := range settlements {
		switch s := &settlements[i]; {
		case s.Verb < persistence.Ack || s.Verb > persistence.Park:
			return nil, invalid("verb %d", s.Verb)
		case s.Verb == persistence.Park && !job.ValidName(s.For):
			return nil, invalid("job %s: to be parked for %.80q", s.Lease.ID, s.For)
		}
	}
	answers := make([]bool, len(settlements))
	for from := 0; from < len(settlements); from += persistence.MaxBatch {
		part := settlements[from:min(from+persistence.MaxBatch, len(settlements))]
		l := newCall(settleScript, &k.jobs, &k.meta, &k.leases, &k.delayed, &k.cancels, &k.dead,
			&k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3], &k.cut, &k.parked)
		l.text(k.name)
		l.text(in.c.wakeChannel())
		l.number(int64(in.c.config.DeadLetters))
		l.number(persistence.MaxParked)
		l.number(persistence.ParkDelay.Milliseconds())
		l.number(int64(len(part)))
		l.ids(len(part), func(i int) job.ID { return part[i].Lease.ID })
		l.runs(part)
		missed, err := run(ctx, in.c, l, "settle in "+queue, goredis.NewIntSliceCmd)
		if err != nil {
			return nil, err
		}
		except(answers[from:from+len(part)], missed.Val())
	}
	return answers, nil
}

// runs adds what is to be done, once for neighbours that end alike: most batches are acks of first claims by one node.
func (l *call) runs(part []persistence.Settlement) {
	for i := 0; i < len(part); {
		s, n := &part[i], 1
		for i+n < len(part) && alike(s, &part[i+n]) {
			n++
		}
		l.number(int64(n))
		l.text(verbs[s.Verb])
		l.text(fence(s.Lease.Token, s.Lease.Node))
		switch s.Verb {
		case persistence.Delay:
			l.number(max(millisOf(time.Until(s.RunAt)), 0)) // by the server's clock from there on: a wrong one here must not undo a backoff
		case persistence.Park:
			l.text(s.For)
		default:
			l.text("0")
		}
		i += n
	}
}

// millisOf rounds up, as millis does.
func millisOf(d time.Duration) int64 { return (d + time.Millisecond - time.Nanosecond).Milliseconds() }

func alike(a, b *persistence.Settlement) bool {
	return a.Verb == b.Verb && a.Lease.Token == b.Lease.Token && a.Lease.Node == b.Lease.Node &&
		(a.Verb != persistence.Delay || a.RunAt.Equal(b.RunAt)) && (a.Verb != persistence.Park || a.For == b.For)
}
