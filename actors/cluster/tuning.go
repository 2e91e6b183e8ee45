package cluster

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
)

// Times of connections.
const (
	connectWithin   = 2 * time.Second  // to make one, with its handshake and proof
	greetWithin     = 3 * time.Second  // for one that comes in, until HTTP/2 stands
	strangerWithin  = 5 * time.Second  // for one without a stream
	keepaliveEvery  = 10 * time.Second // the least that the library's transport allows
	keepaliveWithin = 3 * time.Second
)

// Sizes of connections, in bytes.
const (
	maxFrame     = 32 << 20 // a batch of 64 envelopes is half of it
	maxMetadata  = 8 << 10
	buffer       = 16 << 10
	streamWindow = 1 << 20
	queueSize    = 256
	batchSize    = 64
)

// remoteConfig is how the library's remote behaves: small queues, batches that fit into a frame, and no second try of its own,
// which would hold up what waits for two seconds.
func (e *engine) remoteConfig() *remote.Config {
	config := remote.Configure(bracketed(e.r.host), e.r.port,
		remote.WithAdvertisedHost(e.r.address),
		remote.WithEndpointWriterQueueSize(queueSize), remote.WithEndpointWriterBatchSize(batchSize),
		remote.WithEndpointManagerQueueSize(queueSize), remote.WithEndpointManagerBatchSize(batchSize),
		remote.WithServerOptions(e.serverOptions()...),
		remote.WithDialOptions(e.dialOptions()...),
	)
	config.MaxRetryCount = 1 // none would never connect
	return config
}

func (e *engine) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(e.r.gate),
		grpc.ConnectionTimeout(greetWithin),
		grpc.InTapHandle(e.admit),
		grpc.ChainUnaryInterceptor(deny),
		grpc.ChainStreamInterceptor(e.accept),
		grpc.WaitForHandlers(true),
		grpc.MaxConcurrentStreams(4),
		grpc.MaxHeaderListSize(maxMetadata),
		grpc.MaxRecvMsgSize(maxFrame), grpc.MaxSendMsgSize(maxMetadata),
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(streamWindow),
		grpc.ReadBufferSize(buffer), grpc.WriteBufferSize(buffer),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: keepaliveEvery / 2, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionIdle: strangerWithin, Time: keepaliveEvery, Timeout: keepaliveWithin}),
	}
}

func (e *engine) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(e.r.gate),
		grpc.WithPerRPCCredentials(prover{e.r}),
		grpc.WithChainStreamInterceptor(e.connect),
		grpc.WithNoProxy(), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(), grpc.WithDisableHealthCheck(),
		grpc.WithMaxHeaderListSize(maxMetadata),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(maxFrame), grpc.MaxCallRecvMsgSize(maxMetadata)),
		grpc.WithReadBufferSize(buffer), grpc.WithWriteBufferSize(buffer),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveEvery, Timeout: keepaliveWithin, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: connectWithin}),
	}
}

// deny refuses the library's other calls: they are not implemented and end the process.
func deny(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
	return nil, errDenied
}

var errDenied = status.Error(codes.PermissionDenied, "denied")
