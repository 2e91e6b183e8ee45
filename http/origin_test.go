package httpapi

import (
	"strings"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestPagesOfListedOriginsMayAsk(t *testing.T) {
	t.Parallel()
	const page = "https://studio.example"
	rig := newWorld(t, testenv.Redis(t)).guarded(func(c *Config) { c.Origins = []string{page, "http://localhost:5173"} })
	ask := func(origin string) reply {
		return do(t, rig.Server, "OPTIONS", "/v1/jobs", "", "Origin", origin,
			"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
	}
	r := ask(page)
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != page || r.Header.Get("Access-Control-Max-Age") != "7200" ||
		!strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	for _, origin := range []string{"https://evil.example", "https://studio.example.evil.example", "http://studio.example", "https://studio.example:8443", "null"} {
		if r := ask(origin); r.StatusCode < 400 || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", origin, r.StatusCode, r.Header)
		}
	}
	foreign := []string{"Origin", page, "Sec-Fetch-Site", "cross-site"}
	send := func(headers ...string) reply {
		return do(t, rig.Server, "POST", "/v1/jobs", `{"kind":"echo"}`, append(headers, foreign...)...)
	}
	r = send(asStudio...)
	if r.StatusCode != 202 || r.Header.Get("Access-Control-Allow-Origin") != page || !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("with a token: %d %v", r.StatusCode, r.Header)
	}
	login := do(t, rig.Server, "POST", "/v1/session", `{"token":"`+studio+`"}`)
	if r := send("Cookie", login.Cookies()[0].Name+"="+login.Cookies()[0].Value); r.StatusCode != 401 {
		t.Errorf("with the cookie: %d", r.StatusCode)
	}
	for _, headers := range [][]string{nil, foreign, {"Origin", "https://evil.example"}} {
		r := do(t, rig.Server, "GET", "/healthz", "", headers...)
		if r.Header.Get("Vary") != "Origin" || r.Header.Get("Access-Control-Allow-Credentials") != "" || r.Header.Get("Access-Control-Allow-Origin") == "*" {
			t.Errorf("%v: %v", headers, r.Header)
		}
	}
	if r := do(t, rig.Server, "GET", "/v1/jobs", "", foreign...); r.StatusCode != 401 || r.Header.Get("Access-Control-Allow-Origin") != page {
		t.Errorf("a refusal can't be read: %d %v", r.StatusCode, r.Header)
	}
}

func TestOriginsAreExact(t *testing.T) {
	t.Parallel()
	got, err := ParseOrigins([]string{"https://Studio.example", " http://localhost:5173", "https://a.example:443", "http://[::1]:80"})
	if err != nil || strings.Join(got, " ") != "https://studio.example http://localhost:5173 https://a.example http://[::1]" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "*", "null", "studio.example", "https://", "https://*.example", "https://a.example/", "https://a.example/x", "https://u@a.example", "ftp://a.example", "https://a.example?x"} {
		if _, err := ParseOrigins([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
