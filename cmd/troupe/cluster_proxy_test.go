//go:build unix

package main

import (
	"net"
	"sync"
	"testing"
	"time"
)

// linkState is how a link through a proxy is.
type linkState int

const (
	linkWell  linkState = iota
	linkHole            // nothing arrives, nothing fails: connections stay open, and new ones are taken and hang
	linkReset           // connections are reset, old and new
	linkSlow            // each piece arrives slowPiece later
)

const slowPiece = 100 * time.Millisecond

// faultProxy is a link between a node and a server that can be broken. Who calls may be told apart, so that a link of one of several
// callers breaks.
type faultProxy struct {
	listener *net.TCPListener
	upstream string
	caller   func(net.Conn) int // which of the callers; nil if there is only one, 0

	mu      sync.Mutex
	states  map[int]linkState
	changed chan struct{} // closed at every change
	open    map[*net.TCPConn]int
	closed  bool
	running sync.WaitGroup
}

// startProxy listens at an address, host:port, for what is meant for another.
func startProxy(t testing.TB, listen, upstream string, caller func(net.Conn) int) *faultProxy {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatalf("start a proxy: %v", err)
	}
	p := &faultProxy{listener: l.(*net.TCPListener), upstream: upstream, caller: caller, states: map[int]linkState{}, changed: make(chan struct{}), open: map[*net.TCPConn]int{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.closed = true
		close(p.changed)
		for c := range p.open {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.running.Wait()
	})
	return p
}

func (p *faultProxy) addr() string { return p.listener.Addr().String() }

// set changes the link of some callers.
func (p *faultProxy) set(state linkState, callers ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range callers {
		p.states[c] = state
	}
	if state == linkReset {
		for conn, c := range p.open {
			if p.states[c] == linkReset {
				_ = conn.SetLinger(0)
				_ = conn.Close()
			}
		}
	}
	if !p.closed {
		close(p.changed)
		p.changed = make(chan struct{})
	}
}

// pass waits for as long as the caller's link is a hole. It answers whether anything passes then.
func (p *faultProxy) pass(caller int) bool {
	for {
		p.mu.Lock()
		state, changed, closed := p.states[caller], p.changed, p.closed
		p.mu.Unlock()
		switch {
		case closed || state == linkReset:
			return false
		case state == linkSlow:
			time.Sleep(slowPiece)
			return true
		case state == linkWell:
			return true
		}
		<-changed
	}
}

func (p *faultProxy) accept() {
	for {
		conn, err := p.listener.AcceptTCP()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(conn) })
	}
}

func (p *faultProxy) serve(conn *net.TCPConn) {
	caller := 0
	if p.caller != nil {
		caller = p.caller(conn)
	}
	if !p.keep(conn, caller) {
		return
	}
	defer p.drop(conn)
	if !p.pass(caller) {
		return
	}
	up, err := net.DialTimeout("tcp", p.upstream, 5*time.Second)
	if err != nil {
		return
	}
	server := up.(*net.TCPConn)
	if !p.keep(server, caller) {
		return
	}
	defer p.drop(server)
	var both sync.WaitGroup
	both.Go(func() { p.copy(conn, server, caller) })
	both.Go(func() { p.copy(server, conn, caller) })
	both.Wait()
}

// copy carries what one side says, and that it has ended.
func (p *faultProxy) copy(from, to *net.TCPConn, caller int) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if !p.pass(caller) {
			err = net.ErrClosed
		} else if n > 0 {
			if _, failed := to.Write(buf[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			_ = from.Close()
			_ = to.Close()
			return
		}
	}
}

func (p *faultProxy) keep(conn *net.TCPConn, caller int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = conn.Close()
		return false
	}
	p.open[conn] = caller
	return true
}

// drop closes a connection, as the link's end does: by a reset if it is reset.
func (p *faultProxy) drop(conn *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.states[p.open[conn]] == linkReset {
		_ = conn.SetLinger(0)
	}
	_ = conn.Close()
	delete(p.open, conn)
}
