package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// P14: the frames of a stream on which nothing happens arrive at once, over each transport, through all there is around it; the
// stream is counted by its transport, and its end reaches the client.
func TestFramesOverEachTransport(t *testing.T) {
	t.Parallel()
	rig := newRig(t, nil)
	for _, c := range []struct {
		name  string
		tls   bool
		allow func(*http.Protocols)
		proto string
	}{
		{"HTTP/1.1", false, func(p *http.Protocols) { p.SetHTTP1(true) }, "h1"},
		{"HTTP/2 over TLS", true, func(p *http.Protocols) { p.SetHTTP2(true) }, "h2"},
		{"HTTP/2 with prior knowledge", false, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, "h2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(rig.handler)
			var all, client http.Protocols
			all.SetHTTP1(true)
			all.SetHTTP2(true)
			all.SetUnencryptedHTTP2(true)
			server.Config.Protocols = &all
			server.Config.WriteTimeout = 300 * time.Millisecond // which must not end a stream
			server.Config.ReadTimeout = 300 * time.Millisecond
			c.allow(&client)
			if c.tls {
				server.EnableHTTP2 = true
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			transport := &http.Transport{Protocols: &client, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // its own certificate
			defer transport.CloseIdleConnections()
			ctx, cancel := context.WithCancel(limited(t))
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v1/stream?topic=all", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got := protoLabel(&http.Request{ProtoMajor: resp.ProtoMajor}); resp.StatusCode != 200 || got != c.proto {
				t.Fatalf("%d over %s", resp.StatusCode, got)
			}
			if resp.ProtoMajor == 2 && resp.Header.Get("Connection") != "" {
				t.Errorf("Connection over HTTP/2: %q", resp.Header.Get("Connection"))
			}
			p := newParser(bufio.NewReader(resp.Body))
			next := func(want string) {
				t.Helper()
				if e, err := p.next(); err != nil || e.name != want {
					t.Fatalf("%+v, %v; want %s", e, err, want)
				}
			}
			next(eventHello)
			for e, err := p.next(); e.name != eventReady; e, err = p.next() {
				if err != nil {
					t.Fatal(err)
				}
			}
			<-time.After(500 * time.Millisecond) // longer than the server's own patience
			rig.submit(`{"kind":"echo","delay":"1h"}`)
			next(eventJob)
		})
	}
}
