package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/meta-ad-studio/troupe/persistence"
)

// line is the stream on which this node sends to another. It stands between the library and grpc, so that the library never waits: it begins
// at once even if the peer can't be reached, and ends with its first read then, which tells the asks that wait.
type line struct {
	e       *engine
	address string
	stream  grpc.ClientStream // nil: it could not be made
	err     error             // why
	ctx     context.Context
	cancel  context.CancelFunc
	post    *post
	greeted bool // of the reader
	once    sync.Once
	hungUp  atomic.Bool
}

// connect is the interceptor of the library's streams. It runs on the goroutine of the one actor that sends to the address.
func (e *engine) connect(_ context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	l := &line{e: e, address: cc.Target(), post: e.lines.begin(cc.Target())}
	l.ctx, l.cancel = context.WithCancel(e.life)
	if l.err = l.open(desc, cc, method, streamer, opts); l.err != nil {
		l.cancel()
		l.stream = nil
		l.post.fail(l.err)
		e.log.Warn("remoting: a node can't be reached", "address", l.address, "err", l.err)
	}
	e.topology.RLock() // until the library has read its block list and sends it, in its next step
	return l, nil
}

// open makes the stream and has the other end prove the secret, before anything is told to it.
func (l *line) open(desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, streamer grpc.Streamer, opts []grpc.CallOption) error {
	ctx, c := l.e.r.newClaim(l.ctx, l.address)
	late := time.AfterFunc(connectWithin, l.cancel)
	var header metadata.MD
	stream, err := streamer(ctx, desc, cc, method, opts...)
	if err == nil {
		header, err = stream.Header()
	}
	switch proof := header.Get(keyProof); {
	case !late.Stop():
		return fmt.Errorf("no connection within %s: %w", connectWithin, persistence.ErrUnavailable)
	case err == nil && len(proof) == 0: // it was refused, and the reason comes with the end
		if err = stream.RecvMsg(new(remote.RemoteMessage)); err == nil {
			err = errors.New("no proof of the secret")
		}
	case err == nil && !c.signedBy(l.e.r.config.Secret, "server", proof[0]):
		err = errors.New("it does not prove the secret")
	}
	if err != nil {
		return fmt.Errorf("%w: %w", persistence.ErrUnavailable, err)
	}
	l.stream = stream
	return nil
}

// SendMsg implements grpc.ClientStream.
func (l *line) SendMsg(message any) error {
	m, ok := message.(*remote.RemoteMessage)
	if !ok {
		return errDenied
	}
	batch := m.GetMessageBatch()
	if batch == nil {
		l.once.Do(l.e.topology.RUnlock)
		return nil // the greeting, whose word nobody takes: the proof has told all
	}
	if l.stream == nil {
		return nil
	}
	for _, e := range batch.Envelopes {
		l.post.queued.Add(-int64(len(e.MessageData)))
	}
	err := l.stream.SendMsg(m)
	if err != nil {
		l.cancel() // the reader tells
	}
	return err
}

// RecvMsg implements grpc.ClientStream. Nothing is read but the stream's end; the library is told of one that it has not made itself.
func (l *line) RecvMsg(message any) error {
	m, ok := message.(*remote.RemoteMessage)
	if !ok {
		return errDenied
	}
	if !l.greeted {
		l.greeted = true
		m.MessageType = &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}
		return nil
	}
	err := l.err
	for l.stream != nil && err == nil {
		err = l.stream.RecvMsg(m)
	}
	l.cancel()
	if l.hungUp.Load() {
		return io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the library keeps a line that ends in order, and loses what is sent on it
	}
	return err
}

// CloseSend implements grpc.ClientStream: the library hangs up.
func (l *line) CloseSend() error {
	if l.hungUp.CompareAndSwap(false, true) {
		l.cancel()
		l.e.lines.done()
	}
	return nil
}

// Header implements grpc.ClientStream.
func (l *line) Header() (metadata.MD, error) { return nil, nil }

// Trailer implements grpc.ClientStream.
func (l *line) Trailer() metadata.MD { return nil }

// Context implements grpc.ClientStream.
func (l *line) Context() context.Context { return l.ctx }
