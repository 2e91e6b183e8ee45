package httpapi

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestCheckBind(t *testing.T) {
	for listen, open := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:1": true, "[::1]:8080": true, "127.9.9.9:1": true,
		":8080": false, "0.0.0.0:8080": false, "[::]:80": false, "10.0.0.1:80": false, "example.com:80": false, "localhost.example.com:80": false,
	} {
		if err := CheckBind(listen, false); (err == nil) != open {
			t.Errorf("%s without a token: %v", listen, err)
		}
		if err := CheckBind(listen, true); err != nil {
			t.Errorf("%s with a token: %v", listen, err)
		}
	}
	if CheckBind("8080", true) == nil {
		t.Error("no port, no error")
	}
}

func TestForeignHostsAreRefusedWithoutATokens(t *testing.T) {
	_, open := serve(t, Config{Hosts: []string{"troupe.internal"}})
	for host, status := range map[string]int{
		"evil.example": 403, "evil.example:8080": 403, "127.0.0.1.evil.example": 403, "169.254.169.254": 403,
		"localhost": 200, "LOCALHOST:99": 200, "127.0.0.1:1": 200, "[::1]:1": 200, "[::1]": 200, "troupe.internal:80": 200,
	} {
		if r := do(t, open, "GET", "/healthz", "", "Host", host); r.StatusCode != status {
			t.Errorf("Host %s: %d, want %d", host, r.StatusCode, status)
		}
	}
	_, closed := serve(t, Config{Tokens: []Token{NewToken("ci", "s3cret")}})
	if r := do(t, closed, "GET", "/healthz", "", "Host", "troupe.example"); r.StatusCode != 200 {
		t.Errorf("with tokens any Host is served, got %d", r.StatusCode)
	}
}

func TestForeignPagesMayNotAct(t *testing.T) {
	_, server := serve(t, Config{})
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		for _, path := range []string{"/v1/jobs", "/v1/videos", "/v1/dead/redrive", "/v1/session"} {
			r := do(t, server, "POST", path, `{}`, append(headers, "Content-Type", "text/plain")...)
			if r.StatusCode != 403 || r.problem(t).Code != "forbidden" {
				t.Errorf("%v %s: %d", headers, path, r.StatusCode)
			}
		}
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	_, server := serve(t, Config{Tokens: []Token{NewToken("ci", "s3cret")}})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/v1/nothing", 404, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "//v1/jobs", 404, ""},
		{"PUT", "/v1/jobs", 405, "GET, HEAD, POST"},
		{"GET", "/v1/videos", 405, "POST"},
		{"HEAD", "/v1/stream", 405, "GET, POST"},
		{"OPTIONS", "/v1/queues/q", 405, "PATCH"},
		{"BREW", "/v1/dead", 405, "GET, HEAD, DELETE"},
		{"POST", "/v1/jobs/x", 405, "GET, HEAD, DELETE"},
	} {
		r := do(t, server, c.method, c.path, "")
		if r.StatusCode != c.status || r.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, r.StatusCode, r.Header.Get("Allow"))
		}
		if c.method != "HEAD" {
			r.problem(t)
		}
	}
}

func TestAPanicIsOneAnswer(t *testing.T) {
	var log bytes.Buffer
	_, server := serve(t, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	r := do(t, server, "GET", "/v1/queues", "") // the absent node panics
	if p := r.problem(t); p.Status != 500 || p.Code != "internal" || p.RequestID == "" || p.Detail != "" {
		t.Errorf("%+v", p)
	}
	if !strings.Contains(log.String(), "a handler panicked") || !strings.Contains(log.String(), r.Header.Get("X-Request-Id")) {
		t.Errorf("log: %s", log.String())
	}
	if r := do(t, server, "GET", "/healthz", ""); r.StatusCode != 200 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	var log bytes.Buffer
	_, server := serve(t, Config{
		Tokens: []Token{NewToken("ci", "s3cret")},
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	do(t, server, "GET", "/v1/session?hush1=1", "", "Authorization", "Bearer s3cret", "Cookie", "troupe_session=hush2")
	do(t, server, "POST", "/v1/session", `{"token":"hush3"}`)
	do(t, server, "POST", "/v1/jobs", `{"kind":"hush4"`, "Authorization", "Bearer s3cret")
	if !strings.Contains(log.String(), "principal=ci") {
		t.Errorf("log: %s", log.String())
	}
	for _, secret := range []string{"s3cret", "hush"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q: %s", secret, log.String())
		}
	}
}
