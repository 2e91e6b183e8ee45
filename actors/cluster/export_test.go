package cluster

import (
	"strconv"
	"time"

	"google.golang.org/grpc/metadata"
)

// Proof is the metadata of a stream from a node that knows the secret.
func Proof(secret, target, node, address, nonce string, at time.Time) metadata.MD {
	c := claim{target: target, node: node, address: address, nonce: nonce, time: strconv.FormatInt(at.Unix(), 10)}
	return metadata.Pairs(keyNode, node, keyAddress, address, keyTime, c.time, keyNonce, nonce, keyProof, c.sign([]byte(secret), "client"))
}

// Seal writes a request as a node would.
func Seal(from, to string, fromIncarnation, toIncarnation int64, body []byte) []byte {
	e := envelope{ID: 1, Op: opAsk, From: party{from, fromIncarnation}, To: party{to, toIncarnation}, Body: body}
	data, err := e.seal()
	if err != nil {
		panic(err)
	}
	return data
}
