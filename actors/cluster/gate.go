package cluster

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"

	"github.com/meta-ad-studio/troupe/persistence"
)

// Bounds of connections that come in.
const (
	// maxStrangers bounds those that have not proved anything yet. The oldest gives way to a new one, so that who opens many and says
	// nothing keeps nobody out: a peer's proof comes with its first bytes.
	maxStrangers = 256
	// maxPeers bounds those that have: one from each member, and one that it has left behind.
	maxPeers = 2 * persistence.MaxMembers
)

// gate makes the connections of the library, in both directions: it holds the bounds, and speaks TLS if there are certificates. It
// implements credentials.TransportCredentials.
type gate struct {
	certificates *certificates // nil: none

	mu        sync.Mutex
	strangers list.List // of *visitor, the oldest first
	peers     int
}

// pass is what the gate tells of a connection that stands.
type pass struct {
	credentials.CommonAuthInfo
	visitor *visitor // of an incoming one
	binding string   // derived from the TLS session, the same at both ends
}

// AuthType implements credentials.AuthInfo.
func (*pass) AuthType() string { return "troupe" }

// visitor is a connection that came in.
type visitor struct {
	net.Conn
	gate  *gate
	place *list.Element // among the strangers, until it is admitted
	peer  bool
	gone  bool
}

// enter takes in a connection; the oldest stranger makes room.
func (g *gate) enter(raw net.Conn) *visitor {
	v := &visitor{Conn: raw, gate: g}
	g.mu.Lock()
	v.place = g.strangers.PushBack(v)
	var oldest *visitor
	if g.strangers.Len() > maxStrangers {
		oldest = g.strangers.Front().Value.(*visitor)
		oldest.leave()
	}
	g.mu.Unlock()
	if oldest != nil {
		_ = oldest.Conn.Close()
	}
	return v
}

// admit tells that the visitor has proved itself. It says no if there are too many, or if the visitor has gone.
func (v *visitor) admit() bool {
	v.gate.mu.Lock()
	defer v.gate.mu.Unlock()
	switch {
	case v.gone:
		return false
	case v.peer:
		return true
	case v.gate.peers >= maxPeers:
		return false
	}
	v.gate.strangers.Remove(v.place)
	v.gate.peers++
	v.peer = true
	return true
}

// leave takes the visitor off the books. The gate is locked.
func (v *visitor) leave() {
	switch {
	case v.gone:
	case v.peer:
		v.gate.peers--
	default:
		v.gate.strangers.Remove(v.place)
	}
	v.gone = true
}

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.gate.mu.Lock()
	v.leave()
	v.gate.mu.Unlock()
	return v.Conn.Close()
}

// ServerHandshake implements credentials.TransportCredentials. The connection has a deadline by then.
func (g *gate) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	v := g.enter(raw)
	if g.certificates == nil {
		return v, &pass{visitor: v}, nil
	}
	conn := tls.Server(v, g.certificates.server())
	return g.shake(context.Background(), conn, v)
}

// ClientHandshake implements credentials.TransportCredentials.
func (g *gate) ClientHandshake(ctx context.Context, _ string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if g.certificates == nil {
		return raw, &pass{}, nil
	}
	return g.shake(ctx, tls.Client(raw, g.certificates.client()), nil)
}

func (g *gate) shake(ctx context.Context, conn *tls.Conn, v *visitor) (net.Conn, credentials.AuthInfo, error) {
	err := conn.HandshakeContext(ctx)
	if err == nil && conn.ConnectionState().NegotiatedProtocol != protocol {
		err = errors.New("the other end does not speak HTTP/2")
	}
	var binding []byte
	if err == nil {
		state := conn.ConnectionState()
		binding, err = state.ExportKeyingMaterial("EXPORTER-troupe-remoting", nil, 32)
	}
	if err != nil {
		_ = conn.NetConn().Close()
		return nil, nil, err
	}
	return conn, &pass{
		CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
		visitor:        v, binding: string(binding),
	}, nil
}

// Info implements credentials.TransportCredentials.
func (g *gate) Info() credentials.ProtocolInfo {
	if g.certificates == nil {
		return credentials.ProtocolInfo{SecurityProtocol: "insecure"}
	}
	return credentials.ProtocolInfo{SecurityProtocol: "tls"}
}

// Clone implements credentials.TransportCredentials: all share the bounds.
func (g *gate) Clone() credentials.TransportCredentials { return g }

// OverrideServerName implements credentials.TransportCredentials.
func (g *gate) OverrideServerName(string) error { return nil }
