package redis

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

const (
	keepAlive = 15 * time.Second
	// unacknowledged is how long the kernel keeps what a server does not acknowledge. No call waits longer for an answer.
	unacknowledged = 4 * time.Second
)

// dialer connects. What a connection has not delivered when it is given up must never be delivered: commands that wait in the kernel's
// buffer while the network is cut would otherwise reach the server once that has healed, long after
// their caller was told that they had failed. So a connection is closed by a reset, which drops what it holds, and one whose
// peer acknowledges nothing is reset by the kernel, also while the process is stopped.
func dialer(config *tls.Config) func(ctx context.Context, network, addr string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive, Control: boundUnacknowledged}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := plain.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // at worst it closes as others do
		}
		if config == nil {
			return conn, nil
		}
		return encrypted(ctx, conn, config)
	}
}

func encrypted(ctx context.Context, conn net.Conn, config *tls.Config) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}
