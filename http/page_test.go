package httpapi

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestPage(t *testing.T) {
	_, server := serve(t, Config{Tokens: []Token{NewToken("ci", "s3cret")}, UI: fstest.MapFS{
		"index.html":         {Data: []byte("<!doctype html><title>Troupe</title>")},
		"favicon.svg":        {Data: []byte("<svg/>")},
		"assets/app-3f9a.js": {Data: []byte("export{}")},
	}})
	r := do(t, server, "GET", "/", "")
	if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("index: %d %v", r.StatusCode, r.Header)
	}
	if again := do(t, server, "GET", "/", "", "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("index again: %d", again.StatusCode)
	}
	policy := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'", "base-uri 'self'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	for _, c := range []struct {
		path, accept string
		status       int
		kind, cache  string
	}{
		{"/assets/app-3f9a.js", "", 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/favicon.svg", "", 200, "image/svg+xml", "no-cache"},
		{"/jobs/some", "text/html,*/*", 200, "text/html; charset=utf-8", "no-cache"},
		{"/jobs/some", "application/json", 404, "application/problem+json", "no-store"},
		{"/v1/some", "text/html", 404, "application/problem+json", "no-store"},
		{"/assets/other.js", "text/html", 404, "application/problem+json", "no-store"},
		{"/assets/../index.html", "", 404, "application/problem+json", "no-store"},
		{"/missing.js", "text/html", 404, "application/problem+json", "no-store"},
	} {
		r := do(t, server, "GET", c.path, "", "Accept", c.accept)
		if r.StatusCode != c.status || r.Header.Get("Content-Type") != c.kind || r.Header.Get("Cache-Control") != c.cache {
			t.Errorf("%s: %d %q %q", c.path, r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"))
		}
		if r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", c.path)
		}
	}
}
