package redis

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// claimBytes is how many bytes of jobs are enough for one claim: it bounds what a queue of large payloads can make a
// script hold and a node receive at once.
const claimBytes = 4 << 20

// claimer is who claims what.
type claimer struct{ queue, node string }

// Claim implements persistence.Inbox. After an error whose effect is unknown, the node's next claim of the queue gets
// the jobs that the failed one may have leased.
func (in *Inbox) Claim(ctx context.Context, queue, node string, max int, lease time.Duration) ([]persistence.Claim, error) {
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
	if max < 1 {
		return nil, nil
	}
	for {
		claims, more, err := in.claim(ctx, k, node, min(max, persistence.MaxBatch), lease)
		if err != nil || len(claims) > 0 || !more {
			return claims, err
		}
	}
}

func (in *Inbox) claim(ctx context.Context, k *queueKeys, node string, max int, lease time.Duration) ([]persistence.Claim, bool, error) {
	who := claimer{k.name, node}
	nonce := in.nonce(who)
	last := k.claim + node
	l := newCall(claimScript, &k.jobs, &k.meta, &k.leases, &k.cancels, &k.ghosts, &last, &k.inbox[0], &k.inbox[1], &k.inbox[2], &k.inbox[3])
	l.text(node)
	l.text(nonce)
	l.number(int64(max))
	l.number(lease.Microseconds())
	l.number(claimBytes)
	reply, err := run(ctx, in.c, l, "claim from "+k.name, goredis.NewStringCmd)
	if err != nil {
		if errors.Is(err, persistence.ErrUnavailable) || ctx.Err() != nil {
			in.keepNonce(who, nonce)
		}
		return nil, false, err
	}
	data, _ := reply.Bytes()
	return parseClaims(data, max)
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

// parseClaims reads the answer of claim.lua. The envelopes share its memory.
func parseClaims(data []byte, max int) (claims []persistence.Claim, more bool, err error) {
	if len(data) == 0 {
		return nil, false, errClaim("nothing")
	}
	more, data = data[0] == '+', data[1:]
	if len(data) == 0 {
		return nil, more, nil
	}
	claims = make([]persistence.Claim, 0, max)
	var meta []byte // the last one, of which most are copies
	var token int64
	var crashes int
	for len(data) > 0 {
		newline := bytes.IndexByte(data, '\n')
		if newline < idBytes+1 || len(data) < newline+1+headerBytes {
			return nil, false, errClaim("half a job")
		}
		id, err := parseID(data[:idBytes])
		if err != nil {
			return nil, false, err
		}
		if m := data[idBytes+1 : newline]; !bytes.Equal(m, meta) {
			if token, crashes, err = parseLeased(m); err != nil {
				return nil, false, err
			}
			meta = m
		}
		cancel := data[idBytes] == '!'
		data = data[newline+1:]
		length, err := strconv.Atoi(string(data[headerBytes-lengthDigits : headerBytes]))
		if err != nil || length < 0 || len(data) < headerBytes+length {
			return nil, false, errClaim("half an envelope")
		}
		claims = append(claims, persistence.Claim{
			ID: id, Token: token, Crashes: crashes, CancelRequested: cancel,
			Envelope: data[headerBytes : headerBytes+length : headerBytes+length],
		})
		data = data[headerBytes+length:]
	}
	return claims, more, nil
}

// parseLeased reads the meta of a leased job.
func parseLeased(m []byte) (token int64, crashes int, err error) {
	rest, ok := bytes.CutPrefix(m, []byte("L|"))
	digits, _, found := bytes.Cut(rest, []byte("|"))
	last := bytes.LastIndexByte(m, '|')
	if !ok || !found || last < 0 {
		return 0, 0, errClaim(string(m))
	}
	if token, err = strconv.ParseInt(string(digits), 10, 64); err != nil {
		return 0, 0, errClaim(string(m))
	}
	if crashes, err = strconv.Atoi(string(m[last+1:])); err != nil {
		return 0, 0, errClaim(string(m))
	}
	return token, crashes, nil
}

func parseID(text []byte) (id job.ID, err error) {
	if err := id.UnmarshalText(text); err != nil {
		return id, fmt.Errorf("redis: claim: %w", err)
	}
	return id, nil
}

func errClaim(what string) error { return fmt.Errorf("redis: claim: unexpected answer: %.80q", what) }
