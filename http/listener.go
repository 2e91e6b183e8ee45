package httpapi

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// cappedListener bounds the open connections. One too many is told so and closed; waiting in the backlog it would learn nothing.
type cappedListener struct {
	net.Listener
	max       int
	speaksTLS bool
	open      atomic.Int64
}

const turnedAway = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Type: application/problem+json\r\n" +
	"Content-Length: 101\r\n\r\n" +
	`{"type":"urn:troupe:problem:too_many","title":"Too many connections","status":503,"code":"too_many"}` + "\n"

// Accept implements net.Listener.
func (l *cappedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= int64(l.max) {
			return &countedConn{Conn: conn, leave: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
		}
		l.open.Add(-1)
		if !l.speaksTLS {
			_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // a fresh socket takes so little at once
			_, _ = conn.Write([]byte(turnedAway))
		}
		_ = conn.Close()
	}
}

type countedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
