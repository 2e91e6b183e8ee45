package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// claimBytes is how many bytes of jobs are enough for one claim: it bounds what a queue of large payloads can make a
// script hold and a node receive at once.
const claimBytes = 4 << 20

// maxCan bounds the names under which one claim takes parked jobs.
const maxCan = 10_000

// claimer is who claims what.
type claimer struct{ queue, node string }

// Claim implements persistence.Inbox. After an error whose effect is unknown, the node's next claim of the queue gets
// the jobs that the failed one may have leased.
func (in *Inbox) Claim(ctx context.Context, queue, node string, ask persistence.Ask) ([]persistence.Claim, error) {
	k, err := in.c.keys(queue)
	if err != nil {
		return nil, err
	}
	if err := fitsNode(node); err != nil {
		return nil, err
	}
	if ask.Lease < time.Millisecond {
		return nil, invalid("a lease of %s", ask.Lease)
	}
	if len(ask.Can) > maxCan {
		return nil, invalid("%d names of parked jobs, at most %d", len(ask.Can), maxCan)
	}
	if ask.Max < 1 {
		return nil, nil
	}
	for {
		claims, more, err := in.claim(ctx, k, node, ask)
		if err != nil || len(claims) > 0 || !more {
			return claims, err
		}
	}
}

func (in *Inbox) claim(ctx context.Context, k *queueKeys, node string, ask persistence.Ask) ([]persistence.Claim, bool, error) {
	who := claimer{k.name, node}
	nonce := in.nonce(who)
	last := k.claim + node
	l := newCall(claimScript, &k.jobs, &k.meta, &k.leases, &k.cancels, &k.ghosts, &last, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3],
		&k.parked, &k.cut)
	l.text(node)
	l.text(nonce)
	l.number(int64(min(ask.Max, persistence.MaxBatch)))
	l.number(ask.Lease.Microseconds())
	l.number(claimBytes)
	l.number(int64(max(ask.Limit, 0)))
	l.number(persistence.CutMemory.Milliseconds())
	for _, name := range ask.Can {
		l.text(name)
	}
	reply, err := run(ctx, in.c, l, "claim from "+k.name, goredis.NewStringSliceCmd)
	if err != nil {
		if errors.Is(err, persistence.ErrUnavailable) || ctx.Err() != nil {
			in.keepNonce(who, nonce)
		}
		return nil, false, err
	}
	return parseClaims(reply.Val())
}

func (in *Inbox) nonce(who claimer) string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if nonce, ok := in.nonces[who]; ok {
		delete(in.nonces, who)
		return nonce
	}
	return rand.Text()
}

func (in *Inbox) keepNonce(who claimer, nonce string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.nonces) < maxQueues {
		in.nonces[who] = nonce
	}
}

// parseClaims reads the answer of claim.lua. The envelopes share one piece of memory.
func parseClaims(answer []string) (claims []persistence.Claim, more bool, err error) {
	if len(answer) == 0 || answer[0] == "" {
		return nil, false, errClaim("nothing")
	}
	heads, values := answer[0], answer[1:]
	more, heads = heads[0] == '+', heads[1:]
	if len(values) == 0 {
		return nil, more, nil
	}
	total := 0
	for _, value := range values {
		total += len(value)
	}
	envelopes := make([]byte, 0, total)
	claims = make([]persistence.Claim, len(values))
	var meta string // the last one, of which most are copies
	var token int64
	var crashes int
	for i, value := range values {
		head, rest, found := strings.Cut(heads, "\n")
		if !found || len(head) < idBytes+1 || len(value) < headerBytes {
			return nil, false, errClaim("half a job")
		}
		id, err := job.ParseID(head[:idBytes])
		if err != nil {
			return nil, false, fmt.Errorf("redis: claim: %w", err)
		}
		if m := head[idBytes+1:]; m != meta {
			if token, crashes, err = parseLeased(m); err != nil {
				return nil, false, err
			}
			meta = m
		}
		from := len(envelopes)
		envelopes = append(envelopes, value[headerBytes:]...)
		claims[i] = persistence.Claim{
			ID: id, Life: lifeOf(value), Token: token, Crashes: crashes, CancelRequested: head[idBytes] == '!',
			Envelope: envelopes[from:len(envelopes):len(envelopes)],
		}
		heads = rest
	}
	return claims, more, nil
}

// parseLeased reads the meta of a leased job.
func parseLeased(m string) (token int64, crashes int, err error) {
	part := strings.Split(m, "|")
	if len(part) != 5 || part[0] != "L" {
		return 0, 0, errClaim(m)
	}
	if token, err = strconv.ParseInt(part[1], 10, 64); err != nil {
		return 0, 0, errClaim(m)
	}
	if crashes, err = strconv.Atoi(part[4]); err != nil {
		return 0, 0, errClaim(m)
	}
	return token, crashes, nil
}

func errClaim(what string) error { return fmt.Errorf("redis: claim: unexpected answer: %.80q", what) }
