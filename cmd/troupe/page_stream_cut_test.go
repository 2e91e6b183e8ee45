package main

import (
	"io"
	"net"
	"time"
)

// cutListener gives connections that a door may cut.
type cutListener struct {
	net.Listener
	door *door
}

// Accept implements net.Listener.
func (l *cutListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	life := time.Duration(150+l.door.upTo(450)) * time.Millisecond
	return &cutConn{TCPConn: conn.(*net.TCPConn), door: l.door, until: time.Now().Add(life)}, nil
}

// cutConn is cut in the midst of what is written to it, once its time is over: at any byte, by an end or by a reset.
type cutConn struct {
	*net.TCPConn
	door  *door
	until time.Time
}

// Write implements net.Conn.
func (c *cutConn) Write(p []byte) (int, error) {
	if !c.door.snips.Load() || time.Now().Before(c.until) || len(p) < 2 {
		return c.TCPConn.Write(p)
	}
	n, err := c.TCPConn.Write(p[:1+c.door.upTo(len(p)-1)])
	if err != nil {
		return n, err
	}
	if c.door.upTo(2) == 0 {
		_ = c.SetLinger(0)
	}
	c.door.cut.Add(1)
	_ = c.Close()
	return n, io.ErrClosedPipe
}

// ReadFrom implements io.ReaderFrom, so that nothing passes Write by.
func (c *cutConn) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, r)
}

// held is a body that says nothing for some time.
type held struct {
	io.ReadCloser
	until <-chan struct{}
	gone  <-chan struct{} // closed when nobody reads any more
}

// Read implements io.Reader.
func (h *held) Read(p []byte) (int, error) {
	select {
	case <-h.until:
		return h.ReadCloser.Read(p)
	case <-h.gone:
		return 0, io.ErrUnexpectedEOF
	}
}
