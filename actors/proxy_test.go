package actors_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// proxy stands before one server of one node, and cuts it off.
type proxy struct {
	listener net.Listener
	target   string

	mu     sync.Mutex
	cut    bool
	conns  map[net.Conn]struct{}
	flying sync.WaitGroup
}

// before puts a proxy before the server of a URL, and answers the URL to use instead.
func before(t *testing.T, raw string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: u.Host, conns: map[net.Conn]struct{}{}}
	p.flying.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.set(true)
		p.flying.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

// set cuts all connections and refuses new ones, or lets new ones through.
func (p *proxy) set(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut = cut; cut {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil || !p.keep(near, far) {
			_ = near.Close()
			if far != nil {
				_ = far.Close()
			}
			continue
		}
		p.flying.Go(func() { p.pass(near, far) })
		p.flying.Go(func() { p.pass(far, near) })
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if !p.cut {
			p.conns[c] = struct{}{}
		}
	}
	return !p.cut
}

func (p *proxy) pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	p.mu.Lock()
	delete(p.conns, from)
	p.mu.Unlock()
	_, _ = to.Close(), from.Close()
}
