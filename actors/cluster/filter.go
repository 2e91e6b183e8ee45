package cluster

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/tap"
)

// maxBatch bounds how many envelopes a frame may hold. A peer sends batchSize at most.
const maxBatch = 4 * batchSize

// typeName is the one type of message for ever.
const typeName = "google.protobuf.BytesValue"

type admittedKey struct{}

// admit looks at the head of each stream before anything is spent on it: it must be for the one method that is served, and prove the
// secret.
func (e *engine) admit(ctx context.Context, info *tap.Info) (context.Context, error) {
	if info.FullMethodName != remote.Remoting_Receive_FullMethodName {
		return nil, errDenied
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		return nil, errDenied
	}
	passed, ok := from.AuthInfo.(*pass)
	if !ok || passed.visitor == nil {
		return nil, errDenied
	}
	c, err := e.r.verify(info.Header, passed.binding, time.Now())
	if err != nil {
		e.log.Warn("remoting: a connection is refused", "from", from.Addr.String(), "err", err)
		return nil, status.Error(codes.Unauthenticated, err.Error())
	}
	if !passed.visitor.admit() {
		return nil, status.Error(codes.ResourceExhausted, "too many connections")
	}
	return context.WithValue(ctx, admittedKey{}, c), nil
}

// accept serves a stream that was admitted: it proves the secret to the other end, filters what comes, and lets no panic of the library end
// the process.
func (e *engine) accept(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) (err error) {
	c, ok := stream.Context().Value(admittedKey{}).(claim)
	if !ok {
		return errDenied
	}
	if err := stream.SendHeader(metadata.Pairs(keyProof, c.sign(e.r.config.Secret, "server"))); err != nil {
		return err
	}
	e.lines.retry(c.address) // it lives
	defer func() {
		if p := recover(); p != nil {
			e.log.Error("remoting: panic in the library", "peer", c.node, "panic", p, "stack", string(debug.Stack()))
			err = status.Error(codes.Internal, "panic")
		}
	}()
	return next(server, &filter{ServerStream: stream, e: e, from: &remote.MessageHeader{
		HeaderData: map[string]string{keyNode: c.node, keyAddress: c.address},
	}, node: c.node})
}

// filter lets through envelopes for the desk and nothing else, and notes on each who has sent it.
type filter struct {
	grpc.ServerStream
	e    *engine
	from *remote.MessageHeader
	node string
}

// RecvMsg implements grpc.ServerStream.
func (f *filter) RecvMsg(message any) error {
	for {
		if err := f.ServerStream.RecvMsg(message); err != nil {
			return err
		}
		m, ok := message.(*remote.RemoteMessage)
		if !ok {
			return errDenied
		}
		batch := m.GetMessageBatch()
		if batch == nil {
			continue // a greeting: what matters of it is in the proof
		}
		kept, err := f.keep(batch)
		if err != nil {
			f.e.log.Warn("remoting: messages of a peer are not taken", "peer", f.node, "err", err)
		}
		if len(kept) == 0 {
			continue
		}
		m.MessageType = &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
			TypeNames: []string{typeName}, Targets: []string{deskName}, Envelopes: kept,
		}}
		return nil
	}
}

// keep answers the envelopes of a batch that may pass, and why others may not.
func (f *filter) keep(batch *remote.MessageBatch) ([]*remote.MessageEnvelope, error) {
	if len(batch.Envelopes) > maxBatch {
		return nil, fmt.Errorf("a batch of %d", len(batch.Envelopes))
	}
	var err error
	kept := make([]*remote.MessageEnvelope, 0, len(batch.Envelopes))
	for _, e := range batch.Envelopes {
		switch {
		case e == nil:
		case at(batch.Targets, e.Target) != deskName:
			err = fmt.Errorf("for process %.40q", at(batch.Targets, e.Target))
		case at(batch.TypeNames, e.TypeId) != typeName || e.SerializerId != 0:
			err = fmt.Errorf("of type %.60q", at(batch.TypeNames, e.TypeId))
		case len(e.MessageData) > MaxEnvelope+16: // protobuf's own bytes
			err = fmt.Errorf("of %d bytes", len(e.MessageData))
		default:
			kept = append(kept, &remote.MessageEnvelope{MessageData: e.MessageData, MessageHeader: f.from})
		}
	}
	return kept, err
}

func at(list []string, i int32) string {
	if i < 0 || int(i) >= len(list) {
		return ""
	}
	return list[i]
}
