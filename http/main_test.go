package httpapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

// absent stands where a test needs no node: whatever asks it anything panics.
type absent struct{ Node }

// serve runs the interface on a socket of its own.
func serve(t *testing.T, cfg Config) (*Handler, *httptest.Server) {
	t.Helper()
	if cfg.Node == nil {
		cfg.Node = absent{}
	}
	h := New(cfg)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server
}

// reply is an answer, read whole.
type reply struct {
	*http.Response
	body string
}

func (r reply) problem(t *testing.T) problem {
	t.Helper()
	if got := r.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("Content-Type %q, body %s", got, r.body)
	}
	var p problem
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("problem: %v in %s", err, r.body)
	}
	if p.Status != r.StatusCode || p.Type == "" || p.Title == "" || p.Instance == "" {
		t.Errorf("incomplete problem %+v", p)
	}
	return p
}

func (r reply) decode(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("status %d: %v in %s", r.StatusCode, err, r.body)
	}
}

// do sends one request. Headers are pairs.
func do(t *testing.T, server *httptest.Server, method, path, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp, string(data)}
}
