package httpapi

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// start runs a real Server on a free port.
func start(t *testing.T, h *Handler, cfg ServerConfig) (*Server, string) {
	t.Helper()
	cfg.Listen = "127.0.0.1:0"
	server, err := NewServer(h, cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := Listen(cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // a test may have done so before
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return server, listener.Addr().String()
}

func TestServerRefusesAnOpenDoor(t *testing.T) {
	if _, err := NewServer(New(Config{Node: absent{}}), ServerConfig{Listen: ":8080"}); err == nil || !strings.Contains(err.Error(), "token") {
		t.Errorf("all interfaces without a token: %v", err)
	}
}

func TestServerCapsConnections(t *testing.T) {
	_, address := start(t, New(Config{Node: absent{}}), ServerConfig{MaxConnections: 3})
	var held []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := healthz(conn); err != nil { // until it is answered, it may not be accepted yet
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	extra, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	answered, _ := io.ReadAll(extra)
	head, body, _ := strings.Cut(string(answered), "\r\n\r\n")
	if !strings.HasPrefix(head, "HTTP/1.1 503") || !strings.Contains(head, "Retry-After") || len(body) != 101 {
		t.Errorf("one too many got %q with a body of %d", answered, len(body))
	}
	held[0].Close()
	for deadline := time.Now().Add(5 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		err = healthz(conn)
		conn.Close()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a place that was given up is not given out: %v", err)
		}
	}
}

func healthz(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return err
	}
	buf := make([]byte, 12)
	if _, err := io.ReadFull(conn, buf); err != nil {
		return err
	}
	if string(buf) != "HTTP/1.1 200" {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func TestHeadersAreBounded(t *testing.T) {
	_, address := start(t, New(Config{Node: absent{}}), ServerConfig{})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/healthz", nil)
	req.Header.Set("X-Large", strings.Repeat("x", 32<<10))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("32 KiB of headers: %d", resp.StatusCode)
	}
}
