//go:build unix

package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	protoremote "github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/meta-ad-studio/troupe/actors/cluster"
)

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestRubbishHarmsNothing(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	b.says(a, "hello")
	before := a.do(order{Do: "stats"})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	var silent []net.Conn
	for _, say := range [][]byte{
		nil, noise, []byte(preface[:10]), []byte(preface), append([]byte(preface), noise...),
		append([]byte(preface), 0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0),                         // a frame of 16 MB
		append([]byte(preface), bytes.Repeat([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}, 10_000)...), // settings without end
		append([]byte(preface), 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82), // half a head
		[]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3},
		noise[:1], noise[1:9], // a TLS greeting
	} {
		conn := dial(t, a.member.Address)
		_, _ = conn.Write(say)
		silent = append(silent, conn)
	}
	b.says(a, "meanwhile")
	for i, conn := range silent {
		_ = conn.SetReadDeadline(time.Now().Add(15 * time.Second))
		if _, err := io.Copy(io.Discard, conn); err != nil {
			if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
				t.Errorf("connection %d is not ended", i)
			}
		}
	}
	eventually(t, "nothing is left of them", 5*time.Second, func() bool { return a.do(order{Do: "stats"}).Goroutines <= before.Goroutines })
	b.says(a, "hello")
	a.Quit()
	b.Quit()
}

func TestManyIdleConnectionsKeepNobodyOut(t *testing.T) {
	const many = 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < many+500 {
		t.Skipf("this process may have %d files", limit.Cur)
	}
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	a.says(b, "hello")
	before := a.do(order{Do: "stats"})
	for i := range many {
		conn := dial(t, a.member.Address)
		if i%2 == 0 {
			_, _ = conn.Write([]byte(preface[:i%len(preface)]))
		}
	}
	var during report
	eventually(t, "they are bounded", 5*time.Second, func() bool {
		during = a.do(order{Do: "stats"})
		return during.Goroutines <= before.Goroutines+2*256+20 && during.Heap <= before.Heap+32<<20
	})
	t.Logf("%d idle connections: %d goroutines, heap %d KB (%d KB before), memory %d MB (%d MB before)", many,
		during.Goroutines, during.Heap>>10, before.Heap>>10, during.Memory>>20, before.Memory>>20)
	b.says(a, "a node connects meanwhile")
	eventually(t, "nothing is left of them", 15*time.Second, func() bool { return a.do(order{Do: "stats"}).Goroutines <= before.Goroutines+10 })
	a.Quit()
	b.Quit()
}

// intruder speaks grpc to a peer.
type intruder struct {
	protoremote.RemotingClient
	t      *testing.T
	target string
}

func newIntruder(t *testing.T, target string) intruder {
	t.Helper()
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy(), grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(64<<20)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return intruder{protoremote.NewRemotingClient(conn), t, target}
}

// stream begins a stream with a proof, sends the batches, and answers how it ended; OK if it lives on.
func (i intruder) stream(proof metadata.MD, batches ...*protoremote.MessageBatch) codes.Code {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(metadata.NewOutgoingContext(i.t.Context(), proof), 5*time.Second)
	defer cancel()
	s, err := i.Receive(ctx)
	for _, b := range batches {
		if err == nil {
			err = s.Send(&protoremote.RemoteMessage{MessageType: &protoremote.RemoteMessage_MessageBatch{MessageBatch: b}})
		}
	}
	if err == nil {
		err = s.CloseSend()
	}
	for err == nil || err == io.EOF && ctx.Err() == nil {
		if _, err = s.Recv(); err == io.EOF {
			return codes.OK
		}
	}
	return status.Code(err)
}

func batch(target string, m proto.Message) *protoremote.MessageBatch {
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err)
	}
	return &protoremote.MessageBatch{
		TypeNames: []string{string(proto.MessageName(m))}, Targets: []string{target},
		Envelopes: []*protoremote.MessageEnvelope{{MessageData: data}},
	}
}

func TestForgedMessages(t *testing.T) {
	a, b := start(t, setting{Node: "a"}), start(t, setting{Node: "b"})
	know(a, b)
	b.says(a, "hello")
	i := newIntruder(t, a.member.Address)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := i.ListProcesses(ctx, &protoremote.ListProcessesRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("list processes: %v", err)
	}
	if _, err := i.GetProcessDiagnostics(ctx, &protoremote.GetProcessDiagnosticsRequest{}); status.Code(err) != codes.PermissionDenied {
		t.Errorf("diagnose a process: %v", err)
	}
	nonces := 0
	proof := func() metadata.MD {
		nonces++
		return cluster.Proof(secret, a.member.Address, "b", b.member.Address, fmt.Sprint("nonce", nonces), time.Now())
	}
	used := proof()
	if got := i.stream(used); got != codes.OK {
		t.Errorf("a good proof: %v", got)
	}
	for why, p := range map[string]metadata.MD{
		"none":               nil,
		"one that was used":  used,
		"an old one":         cluster.Proof(secret, a.member.Address, "b", b.member.Address, "old", time.Now().Add(-2*time.Minute)),
		"one of the future":  cluster.Proof(secret, a.member.Address, "b", b.member.Address, "new", time.Now().Add(2*time.Minute)),
		"one for another":    cluster.Proof(secret, b.member.Address, "b", b.member.Address, "other", time.Now()),
		"of another secret":  cluster.Proof("another secret than ours", a.member.Address, "b", b.member.Address, "secret", time.Now()),
		"as another node":    metadata.Join(metadata.Pairs("troupe-node", "c"), proof()),
		"long beyond reason": metadata.Join(metadata.Pairs("troupe-nonce", string(bytes.Repeat([]byte("x"), 6000)))),
	} {
		if got := i.stream(p, batch("troupe", wrapperspb.Bytes(nil))); got != codes.Unauthenticated {
			t.Errorf("proof: %s: %v", why, got)
		}
	}
	// Whoever knows the secret can still address nothing but the desk, by nothing but an envelope.
	self := &actor.PID{Address: a.member.Address, Id: "troupe"}
	odd := batch("troupe", wrapperspb.Bytes([]byte("x")))
	odd.Envelopes[0].TypeId, odd.Envelopes[0].Target, odd.Envelopes[0].Sender = 7, -3, 9
	nested := batch("troupe", wrapperspb.Bytes([]byte("x")))
	nested.Envelopes[0].MessageData = []byte{0xff, 0xff, 0xff}
	big := batch("troupe", wrapperspb.Bytes(make([]byte, 31<<20)))
	for _, b := range []*protoremote.MessageBatch{
		batch("troupe", &actor.Stop{}), batch("troupe", &actor.PoisonPill{}), batch("troupe", &actor.Terminated{Who: self}),
		batch("troupe", &actor.Watch{Watcher: self}), batch("troupe", &actor.Unwatch{Watcher: self}),
		batch("activator", &actor.Stop{}), batch("EndpointSupervisor", &actor.Stop{}), batch("gossip", &actor.Stop{}),
		batch("activator", &protoremote.ActorPidRequest{Kind: "x"}), batch("eventstream", &protoremote.ActorPidRequest{}),
		batch("deadletter", wrapperspb.Bytes(nil)), batch("$1", &actor.Stop{}), odd, big,
		batch("troupe", wrapperspb.Bytes([]byte("rubbish"))),
		batch("troupe", wrapperspb.Bytes(cluster.Seal("c", "a", 1, a.member.Incarnation, []byte("as another node")))),
		batch("troupe", wrapperspb.Bytes(cluster.Seal("b", "a", 1, a.member.Incarnation+1, []byte("for another incarnation")))),
		{},
		{Envelopes: []*protoremote.MessageEnvelope{{}}},
	} {
		if got := i.stream(proof(), b); got != codes.OK {
			t.Errorf("%.100s: %v", b, got)
		}
	}
	for _, b := range []*protoremote.MessageBatch{nested, batch("troupe", wrapperspb.Bytes(make([]byte, 33<<20)))} {
		if got := i.stream(proof(), b); got == codes.OK {
			t.Errorf("%.100s: %v", b, got)
		}
	}
	if got := a.do(order{Do: "stats"}); got.Handled != 1 {
		t.Errorf("%d requests were handled", got.Handled)
	}
	b.says(a, "hello")
	a.says(b, "hello")
	a.Quit()
	b.Quit()
}
