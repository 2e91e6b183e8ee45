package httpapi

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPage(t *testing.T) {
	_, server := serve(t, Config{Tokens: []Token{NewToken("ci", "s3cret")}, UI: fstest.MapFS{
		"index.html":         {Data: []byte(`<!doctype html><base href="/" /><title>Troupe</title>`)},
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
		{"/studio", "text/html,*/*", 200, "text/html; charset=utf-8", "no-cache"},
		{"/ops", "text/html,*/*", 200, "text/html; charset=utf-8", "no-cache"},
		{"/ops/jobs/some", "text/html,*/*", 200, "text/html; charset=utf-8", "no-cache"},
		{"/ops/jobs/some", "application/json", 404, "application/problem+json", "no-store"},
		{"/ops/a/b/c/d/e/f/g/h/i", "text/html", 404, "application/problem+json", "no-store"},
		{"/opsy", "text/html", 404, "application/problem+json", "no-store"},
		{"/jobs/some", "text/html,*/*", 404, "application/problem+json", "no-store"},
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

// A browser finds the root from any address of the pages, also below a prefix that a proxy took away.
func TestPageBase(t *testing.T) {
	_, server := serve(t, Config{UI: fstest.MapFS{"index.html": {Data: []byte(`<!doctype html><base href="/" /><title>Troupe</title>`)}}})
	tags := map[string]bool{}
	for at, base := range map[string]string{"/": "./", "/ops/jobs": "./../", "/ops/jobs/01a": "./../../", "/ops/jobs/a%2Fb": "./../../"} {
		r := do(t, server, "GET", at, "", "Accept", "text/html")
		if !strings.Contains(r.body, `<base href="`+base+`"`) {
			t.Errorf("%s: %s", at, r.body)
		}
		tags[r.Header.Get("ETag")] = true
	}
	if len(tags) != 3 {
		t.Errorf("%d tags of 3 variants", len(tags))
	}
	if r := do(t, server, "POST", "/ops/jobs", "{}", "Accept", "text/html"); r.StatusCode != 404 {
		t.Errorf("POST: %d", r.StatusCode)
	}
}

func TestPagePacked(t *testing.T) {
	script := strings.Repeat("export const word = 'word';\n", 200)
	_, server := serve(t, Config{UI: fstest.MapFS{"assets/app-3f9a.js": {Data: []byte(script)}}})
	plain := do(t, server, "GET", "/assets/app-3f9a.js", "", "Accept-Encoding", "identity")
	for _, c := range []struct {
		accept, ranged, encoding string
	}{
		{"gzip", "", "gzip"},
		{"br, gzip;q=0.5", "", "gzip"},
		{"gzip;q=0", "", ""},
		{"gzip", "bytes=0-9", ""},
	} {
		r := do(t, server, "GET", "/assets/app-3f9a.js", "", "Accept-Encoding", c.accept, "Range", c.ranged)
		if got := r.Header.Get("Content-Encoding"); got != c.encoding || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q %q: encoding %q, vary %q", c.accept, c.ranged, got, r.Header.Get("Vary"))
		}
		if c.encoding == "" {
			continue
		}
		reader, err := gzip.NewReader(strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil || string(body) != script || r.Header.Get("ETag") == plain.Header.Get("ETag") {
			t.Errorf("%q: %d bytes, %v, tag %s", c.accept, len(body), err, r.Header.Get("ETag"))
		}
		if again := do(t, server, "GET", "/assets/app-3f9a.js", "", "Accept-Encoding", c.accept, "If-None-Match", r.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%q again: %d", c.accept, again.StatusCode)
		}
	}
}
