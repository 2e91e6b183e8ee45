package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/persistence/local"
)

func TestEverythingButTheDoorNeedsAToken(t *testing.T) {
	h, server := serve(t, Config{Tokens: []Token{NewToken("ci", "s3cret"), NewToken("ana", "0ther")}})
	open := map[string]bool{"/healthz": true, "/readyz": true, "/": true, "/assets/{file:.+}": true}
	for _, r := range h.routes() {
		if open[r.path] || r.open && r.path == "/v1/session" {
			continue
		}
		for _, headers := range [][]string{
			nil,
			{"Authorization", "Bearer wrong"},
			{"Authorization", "Basic s3cret"},
			{"Authorization", "Bearer"},
			{"Authorization", "s3cret"},
			{"Cookie", "troupe_session=nonsense"},
			{"Authorization", "Bearer " + strings.Repeat("x", 5000)},
		} {
			got := do(t, server, r.methods[0], strings.NewReplacer("{id}", "x", "{name}", "x", "{queue}", "x").Replace(r.path), "", headers...)
			if got.StatusCode != 401 || !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s %s with %.60v: %d", r.methods[0], r.path, headers, got.StatusCode)
			}
		}
	}
	for secret, name := range map[string]string{"s3cret": "ci", "0ther": "ana"} {
		var who me
		do(t, server, "GET", "/v1/session", "", "Authorization", "bearer "+secret).decode(t, &who)
		if who != (me{Principal: name}) {
			t.Errorf("%s is %+v", secret, who)
		}
	}
}

func TestSession(t *testing.T) {
	h, server := serve(t, Config{Tokens: []Token{NewToken("ana", "s3cret")}, Once: local.NewOnce()})
	if r := do(t, server, "POST", "/v1/session", `{"token":"wrong"}`); r.StatusCode != 401 || r.Header.Get("Set-Cookie") != "" {
		t.Fatalf("a wrong token: %d", r.StatusCode)
	}
	r := do(t, server, "POST", "/v1/session", `{"token":"s3cret"}`)
	if r.StatusCode != 200 || len(r.Cookies()) != 1 {
		t.Fatalf("login: %d %s", r.StatusCode, r.body)
	}
	c := r.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 12*3600 || strings.Contains(c.Value, "s3cret") {
		t.Errorf("cookie %+v", c)
	}
	cookie := c.Name + "=" + c.Value
	var who me
	if do(t, server, "GET", "/v1/session", "", "Cookie", cookie).decode(t, &who); who.Principal != "ana" {
		t.Errorf("with the cookie: %+v", who)
	}
	now := time.Now()
	h.signer.now = func() time.Time { return now.Add(sessionAge + time.Second) }
	if r := do(t, server, "GET", "/v1/session", "", "Cookie", cookie); r.StatusCode != 401 {
		t.Errorf("after 12 hours: %d", r.StatusCode)
	}
	h.signer.now = time.Now
	if r := do(t, server, "DELETE", "/v1/session", "", "Cookie", cookie); r.StatusCode != 204 || r.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logout: %d", r.StatusCode)
	}
	if r := do(t, server, "GET", "/v1/session", "", "Cookie", cookie); r.StatusCode != 401 {
		t.Errorf("after logout: %d", r.StatusCode)
	}
}

func TestOverTLSTheCookieIsBound(t *testing.T) {
	r := httptest.NewRequest("POST", "https://troupe.example/v1/session", nil)
	if _, secure := remote(r, nil); !secure {
		t.Error("a request over TLS is not secure")
	}
	if c := sessionCookie(true, "id", time.Hour); c.Name != "__Host-troupe_session" || !c.Secure || c.Domain != "" || c.Path != "/" {
		t.Errorf("%+v", c)
	}
}
