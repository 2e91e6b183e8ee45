package cluster

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
)

// Bounds of a proof.
const (
	// proofWindow is by how much the clocks of two nodes may differ.
	proofWindow = time.Minute
	// maxNonces bounds the proofs that are remembered so that none is taken twice: streams that begin within two windows.
	maxNonces = 1 << 16
	// maxProofField bounds each field that a stranger may send.
	maxProofField = 256
)

// The fields of a proof, as metadata of a stream.
const (
	keyNode    = "troupe-node"
	keyAddress = "troupe-address"
	keyTime    = "troupe-time"
	keyNonce   = "troupe-nonce"
	keyProof   = "troupe-proof"
)

// claim is what the two ends of a stream prove to each other that they know the secret of. Both sign the same, each as itself.
type claim struct {
	target        string // whom the stream goes to
	node, address string // whom it comes from
	time, nonce   string // seconds since 1970, and a number used once
	binding       string // of the TLS connection it is made on; empty without
}

// sign makes the proof of one end ("client" or "server").
func (c claim) sign(secret []byte, end string) string {
	mac := hmac.New(sha256.New, secret)
	for _, field := range []string{"troupe remoting 1", end, c.target, c.node, c.address, c.time, c.nonce, c.binding} {
		var size [4]byte
		binary.BigEndian.PutUint32(size[:], uint32(len(field)))
		mac.Write(size[:])
		mac.Write([]byte(field))
	}
	return base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

func (c claim) signedBy(secret []byte, end, proof string) bool {
	return hmac.Equal([]byte(c.sign(secret, end)), []byte(proof))
}

// prover puts the proof of a new stream into its metadata: grpc asks it once the connection stands, whose binding is part of the proof.
// It implements credentials.PerRPCCredentials.
type prover struct{ r *Remoting }

type claimKey struct{}

// newClaim begins the claim of a stream to an address; the prover completes it in the context.
func (r *Remoting) newClaim(ctx context.Context, target string) (context.Context, *claim) {
	c := &claim{target: target, node: r.config.Node, address: r.address, nonce: rand.Text()}
	return context.WithValue(ctx, claimKey{}, c), c
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (p prover) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	c, ok := ctx.Value(claimKey{}).(*claim)
	if !ok {
		return nil, errors.New("a stream without a claim")
	}
	c.time = strconv.FormatInt(time.Now().Unix(), 10)
	if info, ok := credentials.RequestInfoFromContext(ctx); ok {
		if pass, ok := info.AuthInfo.(*pass); ok {
			c.binding = pass.binding
		}
	}
	return map[string]string{
		keyNode: c.node, keyAddress: c.address, keyTime: c.time, keyNonce: c.nonce,
		keyProof: c.sign(p.r.config.Secret, "client"),
	}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: a proof tells nothing of the secret.
func (prover) RequireTransportSecurity() bool { return false }

// nonces remembers the proofs that were taken.
type nonces struct {
	mu   sync.Mutex
	seen map[string]time.Time // until when a proof with it could be taken again
}

// take says whether the nonce is new.
func (n *nonces) take(nonce string, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.seen == nil {
		n.seen = map[string]time.Time{}
	}
	if len(n.seen) >= maxNonces {
		for old, until := range n.seen {
			if now.After(until) {
				delete(n.seen, old)
			}
		}
	}
	if _, known := n.seen[nonce]; known || len(n.seen) >= maxNonces {
		return false
	}
	n.seen[nonce] = now.Add(2 * proofWindow)
	return true
}

// verify reads the claim of a stream that comes in and checks its proof.
func (r *Remoting) verify(header metadata.MD, binding string, now time.Time) (claim, error) {
	one := func(key string) string {
		if v := header.Get(key); len(v) == 1 && len(v[0]) <= maxProofField {
			return v[0]
		}
		return ""
	}
	c := claim{target: r.address, node: one(keyNode), address: one(keyAddress), time: one(keyTime), nonce: one(keyNonce), binding: binding}
	if c.node == "" || c.address == "" || c.nonce == "" || !c.signedBy(r.config.Secret, "client", one(keyProof)) {
		return c, errors.New("no proof of the secret, or a proof for another address")
	}
	at, err := strconv.ParseInt(c.time, 10, 64)
	if err != nil {
		return c, errors.New("a proof without a time")
	}
	if off := now.Sub(time.Unix(at, 0)); off.Abs() > proofWindow {
		return c, fmt.Errorf("the clocks differ by %s: a proof is good for %s", off.Round(time.Second), proofWindow)
	}
	if !r.nonces.take(c.nonce, now) {
		return c, errors.New("a proof that was used before")
	}
	return c, nil
}
