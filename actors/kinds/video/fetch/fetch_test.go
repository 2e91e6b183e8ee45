package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// door is a client that may talk to the test's own servers.
func door(t *testing.T, servers ...*httptest.Server) *Client {
	t.Helper()
	c := &Client{Allow: func(a netip.Addr) bool { return a.IsLoopback() }, Timeout: 5 * time.Second}
	for _, s := range servers {
		c.Ports = append(c.Ports, port(t, s))
	}
	return c
}

func port(t *testing.T, s *httptest.Server) int {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// outcome says how the job would take an error: "permanent", "retry" (with the wait, if one is asked for) or "fine".
func outcome(err error) string {
	switch e := job.Outcome(nil, err, 0).(type) {
	case job.AttemptFailed:
		if e.Permanent {
			return "permanent"
		}
		return strings.TrimSuffix("retry "+e.RetryAfter.String(), " 0s")
	default:
		return "fine"
	}
}

func TestGet(t *testing.T) {
	body := strings.Repeat("pixels", 50_000)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/image", http.StatusFound)
			return
		}
		if r.Header.Get("Accept-Encoding") != "" || r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "" {
			t.Errorf("headers %v", r.Header)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = io.WriteString(w, body)
	})
	var last, length int64
	data, err := door(t, s).Get(t.Context(), s.URL+"/moved", func(done, all int64) {
		if done < last {
			t.Errorf("from %d back to %d bytes", last, done)
		}
		last, length = done, all
	})
	if err != nil || string(data) != body || last != int64(len(body)) || length != last {
		t.Fatalf("%d bytes, %v; told %d of %d", len(data), err, last, length)
	}
}

// The strict client reaches none of these, and no server of ours is touched.
func TestNothingInsideIsReached(t *testing.T) {
	touched := make(chan string, 16)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { touched <- r.Host })
	p := port(t, s)
	strict := &Client{Ports: []int{p}, Timeout: 2 * time.Second}
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost", "[::]", "0.0.0.0", "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1"} {
		_, err := strict.Get(t.Context(), fmt.Sprintf("http://%s:%d/", host, p), nil)
		if outcome(err) != "permanent" {
			t.Errorf("%s: %v", host, err)
		}
		if err != nil && host == "localhost" && strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("the answer tells where a name leads: %v", err)
		}
	}
	if _, err := (&Client{Allow: func(netip.Addr) bool { return true }}).Get(t.Context(), s.URL, nil); outcome(err) != "permanent" || !strings.Contains(err.Error(), "port") {
		t.Errorf("another port: %v", err)
	}
	if _, err := strict.Get(t.Context(), "file:///etc/passwd", nil); outcome(err) != "permanent" {
		t.Errorf("a file: %v", err)
	}
	select {
	case host := <-touched:
		t.Errorf("%s was reached", host)
	default:
	}
}

func TestRedirects(t *testing.T) {
	inner := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the inner server was reached") })
	var s *httptest.Server
	s = serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/inside": strings.Replace(inner.URL, "127.0.0.1", "localhost", 1),
			"/loop":   "/loop", "/file": "file:///etc/passwd", "/odd": "http://2130706433/", "/login": "http://a:b@" + s.Listener.Addr().String(),
		}[r.URL.Path]
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	c := door(t, s) // the inner server's port is not allowed
	for path, want := range map[string]string{"/inside": "port", "/loop": "3 redirects", "/file": "http or https", "/odd": "usual form", "/login": "password"} {
		_, err := c.Get(t.Context(), s.URL+path, nil)
		if outcome(err) != "permanent" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	// public by name, loopback by redirect: the same dialer judges both
	first := netip.MustParseAddrPort(s.Listener.Addr().String()).Addr()
	hops := 0
	c = door(t, s, inner)
	c.Allow = func(a netip.Addr) bool { hops++; return a == first && hops == 1 }
	if _, err := c.Get(t.Context(), s.URL+"/inside", nil); outcome(err) != "permanent" || !strings.Contains(err.Error(), "public internet") {
		t.Errorf("redirect inside: %v", err)
	}
}

func TestStatusDecidesAboutAnotherAttempt(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.Header().Set("Retry-After", r.URL.Query().Get("after"))
		w.WriteHeader(code)
	})
	for path, want := range map[string]string{
		"/200": "fine", "/404": "permanent", "/410": "permanent", "/403": "permanent", "/304": "permanent", "/206": "permanent",
		"/500": "retry", "/503?after=7": "retry 7s", "/429?after=30": "retry 30s", "/429?after=999999": "retry 1h0m0s", "/408": "retry", "/502?after=soon": "retry",
	} {
		if _, err := door(t, s).Get(t.Context(), s.URL+path, nil); outcome(err) != want {
			t.Errorf("%s: %s (%v), want %s", path, outcome(err), err, want)
		}
	}
}

func TestBoundsOfABody(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/declared":
			w.Header().Set("Content-Length", "1000000")
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		case "/slow":
			_, _ = w.Write([]byte("a"))
			w.(http.Flusher).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("a"))
		}
	})
	defer close(release)
	c := door(t, s)
	c.MaxBytes, c.Timeout = 100_000, 200*time.Millisecond
	for path, want := range map[string]string{"/declared": "permanent", "/endless": "permanent", "/slow": "retry", "/cut": "retry"} {
		began := time.Now()
		if _, err := c.Get(t.Context(), s.URL+path, nil); outcome(err) != want || time.Since(began) > 3*time.Second {
			t.Errorf("%s: %v after %s", path, err, time.Since(began))
		}
	}
	gone := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	c.Timeout = time.Minute
	_, err := c.Get(ctx, s.URL+"/slow", func(int64, int64) { cancel(gone) })
	if !errors.Is(err, gone) {
		t.Errorf("cancelled: %v", err)
	}
}

// A name that is honest when first asked and leads inside the second time (rebinding), or at once.
func TestNamesThatLeadInside(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the inner server was reached") })
	dns, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		answerLoopback(dns)
	}()
	defer func() { _ = dns.Close(); <-answered }()
	c := &Client{Ports: []int{port(t, s)}, Timeout: 5 * time.Second, Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", dns.LocalAddr().String())
	}}}
	_, err = c.Get(t.Context(), fmt.Sprintf("http://innocent.example:%d/", port(t, s)), nil)
	if outcome(err) != "permanent" || !strings.Contains(err.Error(), "public internet") || strings.Contains(err.Error(), "127.") {
		t.Errorf("%v", err)
	}
}

// answerLoopback answers each question for a v4 address with 127.0.0.1 and each other one with nothing.
func answerLoopback(dns net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := dns.ReadFrom(buf)
		if err != nil {
			return
		}
		end := 12
		for buf[end] != 0 {
			end += int(buf[end]) + 1
		}
		end += 5
		if end > n {
			continue
		}
		reply := append([]byte(nil), buf[:end]...)
		copy(reply[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
		if reply[end-3] == 1 {
			reply[7] = 1
			reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1)
		}
		_, _ = dns.WriteTo(reply, from)
	}
}
