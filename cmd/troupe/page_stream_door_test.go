package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// door stands before a node, as a proxy does: browsers open its address. It passes everything on as it comes, unless it is told to do harm.
type door struct {
	addr string
	// files, when it is set, answers the paths below /page/: a page of another program, on the same origin.
	files http.Handler

	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	rand  *rand.Rand
	open  chan struct{}     // closed, unless streams are held back
	carry map[net.Conn]bool // those with a stream on them
	away  atomic.Bool       // nobody is behind it
	snips atomic.Bool       // connections are cut
	// Counted: streams that were asked for, requests that were turned away, connections that were cut.
	streams, refused, cut atomic.Int32
}

type carrier struct{} // the connection, in the context of its requests

// openDoor opens a door before a node. What is random about it follows from a seed, which is printed.
func openDoor(t *testing.T, node *child) *door {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("the door's seed is %d", seed)
	d := &door{rand: rand.New(rand.NewPCG(seed, seed)), open: make(chan struct{}), carry: map[net.Conn]bool{}}
	close(d.open)
	d.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: node.addr})
			r.Out.Host = r.In.Host // the origin that the browser sees
		},
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusOK && strings.HasPrefix(r.Request.URL.Path, "/v1/stream") {
				r.Body = &held{ReadCloser: r.Body, until: d.opened(), gone: r.Request.Context().Done()}
			}
			return nil
		},
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { turnAway(w) },
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		Transport:     &http.Transport{DisableKeepAlives: true},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d.addr = listener.Addr().String()
	server := &http.Server{Handler: d, ReadHeaderTimeout: 5 * time.Second, ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, carrier{}, conn)
	}}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(&cutListener{Listener: listener, door: d}) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return d
}

func (d *door) url(path string) string { return "http://" + d.addr + path }

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).EnableFullDuplex() // else an answer may come before the end of what was asked is read, and ends both
	isStream := strings.HasPrefix(r.URL.Path, "/v1/stream")
	if isStream {
		d.streams.Add(1)
		defer d.carries(r.Context().Value(carrier{}).(net.Conn))()
	}
	switch {
	case d.files != nil && strings.HasPrefix(r.URL.Path, "/page/"):
		d.files.ServeHTTP(w, r)
	case d.away.Load() && d.refused.Add(1)%3 == 0:
		panic(http.ErrAbortHandler) // the connection ends without an answer
	case d.away.Load():
		turnAway(w)
	case isStream && d.streams.Load()%2 == 1:
		select { // not even the headers pass
		case <-d.opened():
			d.proxy.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	default:
		d.proxy.ServeHTTP(w, r)
	}
}

func turnAway(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "no server is available", http.StatusServiceUnavailable)
}

// hold holds the bytes of all streams from now on back, until the returned function is called: then they come all at once.
func (d *door) hold() (release func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	open := make(chan struct{})
	d.open = open
	return func() { close(open) }
}

func (d *door) opened() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// sever cuts all connections that carry a stream at once, and answers how many.
func (d *door) sever() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conn := range d.carry {
		_ = conn.Close()
	}
	return len(d.carry)
}

func (d *door) carries(conn net.Conn) (no func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.carry[conn] = true
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.carry, conn)
	}
}

// upTo is a random number below n.
func (d *door) upTo(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// String tells what was done.
func (d *door) String() string {
	return fmt.Sprintf("%d streams, %d refused, %d cut", d.streams.Load(), d.refused.Load(), d.cut.Load())
}
