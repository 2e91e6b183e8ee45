package httpapi

import (
	"bufio"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A stream's first bytes reach the client while its handler still waits, and a deadline reaches the connection, through
// everything that stands around a handler, over each transport.
func TestFirstByte(t *testing.T) {
	for _, c := range []struct {
		name  string
		tls   bool
		allow func(*http.Protocols)
		proto int
	}{
		{"HTTP/1.1", false, func(p *http.Protocols) { p.SetHTTP1(true) }, 1},
		{"HTTP/2 over TLS", true, func(p *http.Protocols) { p.SetHTTP2(true) }, 2},
		{"HTTP/2 with prior knowledge", false, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := New(Config{Node: absent{}})
			release := make(chan struct{})
			deadline := make(chan error, 1)
			h.chain = h.observe(h.guard(h.admit(route{path: "/slow", stream: true, long: true, serve: func(w http.ResponseWriter, r *http.Request) error {
				control := http.NewResponseController(w)
				deadline <- control.SetWriteDeadline(time.Now().Add(time.Minute))
				_, _ = w.Write([]byte("first\n"))
				if err := control.Flush(); err != nil {
					t.Errorf("flush: %v", err)
				}
				<-release
				_, _ = w.Write([]byte("last\n"))
				return nil
			}})))
			server := httptest.NewUnstartedServer(h)
			var all, client http.Protocols
			all.SetHTTP1(true)
			all.SetHTTP2(true)
			all.SetUnencryptedHTTP2(true)
			server.Config.Protocols = &all
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
			req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/slow", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.ProtoMajor != c.proto {
				t.Errorf("spoken over %s", resp.Proto)
			}
			if err := <-deadline; err != nil {
				t.Errorf("set a write deadline: %v", err)
			}
			lines := bufio.NewReader(resp.Body)
			if line, err := lines.ReadString('\n'); line != "first\n" {
				t.Errorf("got %q, %v while the handler waits", line, err)
			}
			close(release)
			if line, err := lines.ReadString('\n'); line != "last\n" {
				t.Errorf("got %q, %v", line, err)
			}
		})
	}
}
