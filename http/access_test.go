package httpapi

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// What the tests' nodes are opened with.
const studio = "s3cret-of-the-studio"

var (
	asStudio     = []string{"Authorization", "Bearer " + studio}
	sharedSecret = bytes.Repeat([]byte{7}, MinSecret)
)

// guarded starts a node of the world that asks for tokens, signs with the shared secret, and keeps its marks on the world's Redis.
func (w *world) guarded(change func(*Config)) *rig {
	w.t.Helper()
	client, err := redis.Open(w.t.Context(), w.redis)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = client.Close() })
	return w.start(func(c *Config) {
		c.Tokens = []Token{NewToken("studio", studio)}
		c.Secrets, c.Once = [][]byte{sharedSecret}, client.Once()
		if change != nil {
			change(c)
		}
	}, nil)
}

// order submits as the studio and answers the job and its stream.
func (r *rig) order(body string) (job.ID, streamLink) {
	r.t.Helper()
	got := do(r.t, r.Server, "POST", "/v1/jobs", body, asStudio...)
	var a accepted
	if got.decode(r.t, &a); got.StatusCode != 202 {
		r.t.Fatalf("%s: %d %s", body, got.StatusCode, got.body)
	}
	return a.ID, a.Stream
}

// token has the node make a stream token.
func (r *rig) token(ttl int, topics ...string) string {
	r.t.Helper()
	got := do(r.t, r.Server, "POST", "/v1/stream-tokens", fmt.Sprintf(`{"topics":["%s"],"ttl_s":%d}`, strings.Join(topics, `","`), ttl), asStudio...)
	var i issued
	if got.decode(r.t, &i); got.StatusCode != 201 || i.Token == "" {
		r.t.Fatalf("token for %v: %d %s", topics, got.StatusCode, got.body)
	}
	return i.Token
}

// ticket has the node make a ticket.
func (r *rig) ticket(topics ...string) string {
	r.t.Helper()
	got := do(r.t, r.Server, "POST", "/v1/stream-tickets", fmt.Sprintf(`{"topics":["%s"]}`, strings.Join(topics, `","`)), asStudio...)
	var i issuedTicket
	if got.decode(r.t, &i); got.StatusCode != 201 || i.Ticket == "" || i.URL != "/v1/stream?ticket="+i.Ticket {
		r.t.Fatalf("ticket for %v: %d %s", topics, got.StatusCode, got.body)
	}
	return i.Ticket
}

func bearing(token string) []string { return []string{"Authorization", "Bearer " + token} }

// status is what a request with the token is answered.
func (r *rig) status(method, path, token string) int {
	r.t.Helper()
	return do(r.t, r.Server, method, path, "", bearing(token)...).StatusCode
}

// signed makes a token as somebody would who has the secret, changed at will.
func signed(t *testing.T, method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
	t.Helper()
	c := jwt.MapClaims{
		"aud": "stream", "sub": "studio", "jti": "j1", "topics": []string{"all"},
		"iat": time.Now().Unix(), "exp": time.Now().Add(10 * time.Minute).Unix(),
	}
	if change != nil {
		change(c)
	}
	text, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestForgedTokensOpenNothing(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	id, _ := rig.order(`{"kind":"echo"}`)
	path := "/v1/jobs/" + id.String()
	set := func(claim string, value any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) { c[claim] = value }
	}
	without := func(claim string) func(jwt.MapClaims) { return func(c jwt.MapClaims) { delete(c, claim) } }
	hs := func(change func(jwt.MapClaims)) string {
		return signed(t, jwt.SigningMethodHS256, sharedSecret, change)
	}
	if got := rig.status("GET", path, hs(nil)); got != 200 {
		t.Fatalf("a token made elsewhere with the secret: %d", got)
	}
	good := hs(nil)
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"no algorithm":        signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
		"another algorithm":   signed(t, jwt.SigningMethodHS512, sharedSecret, nil),
		"another secret":      signed(t, jwt.SigningMethodHS256, bytes.Repeat([]byte{8}, MinSecret), nil),
		"no signature":        parts[0] + "." + parts[1] + ".",
		"another's signature": parts[0] + "." + parts[1] + "." + strings.Split(hs(set("sub", "other")), ".")[2],
		"for a ticket":        hs(set("aud", "ticket")),
		"for a session":       hs(set("aud", "session")),
		"for two things":      hs(set("aud", []string{"stream", "session"})),
		"for nothing":         hs(without("aud")),
		"expired":             hs(set("exp", time.Now().Add(-time.Second).Unix())),
		"for ever":            hs(without("exp")),
		"for a day":           hs(set("exp", time.Now().Add(24*time.Hour).Unix())),
		"without an id":       hs(without("jti")),
		"a long id":           hs(set("jti", strings.Repeat("x", 100))),
		"without topics":      hs(without("topics")),
		"empty topics":        hs(set("topics", []string{})),
		"many topics":         hs(set("topics", strings.Split(strings.Repeat("all ", maxGrantTopics)+"all", " "))),
		"a topic of no kind":  hs(set("topics", []string{"all", "owner:*"})),
		"an odd subject":      hs(set("sub", "a b")),
		"very long":           good + strings.Repeat("A", 10<<10),
		"padded":              good + "=",
	} {
		if got := do(t, rig.Server, "GET", path, "", bearing(token)...); got.StatusCode != 401 && (name != "very long" || got.StatusCode != 431) {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
	}
	if got := do(t, rig.Server, "GET", path, "", "Cookie", plainCookie+"="+good); got.StatusCode != 401 {
		t.Errorf("as a cookie: %d", got.StatusCode)
	}
	if got := do(t, rig.Server, "GET", "/v1/stream?ticket="+good, ""); got.StatusCode != 401 {
		t.Errorf("as a ticket: %d", got.StatusCode)
	}
	if got := do(t, rig.Server, "POST", "/v1/session", fmt.Sprintf(`{"token":%q}`, good)); got.StatusCode != 401 {
		t.Errorf("to log in: %d", got.StatusCode)
	}
}

// Every route but those named here is closed to a stream token, however wide it is, and to tickets.
func TestAStreamTokenOpensNothingElse(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	id, _ := rig.order(`{"kind":"files"}`)
	waitFor(t, "the end", func() bool {
		var view job.View
		do(t, rig.Server, "GET", "/v1/jobs/"+id.String(), "", asStudio...).decode(t, &view)
		return view.Terminal
	})
	scoped := map[string]bool{
		"GET /v1/jobs": true, "GET /v1/jobs/{id}": true, "GET /v1/jobs/{id}/artifacts/{name}": true, "GET /v1/jobs/{id}/stream": true,
		"GET /v1/stream": true, "POST /v1/stream": true, "GET /v1/jobs/{id}/logs": true, "GET /v1/jobs/{id}/output": true,
	}
	ticketed := map[string]bool{"GET /v1/stream": true, "GET /v1/jobs/{id}/stream": true, "GET /v1/jobs/{id}/logs": true, "GET /v1/jobs/{id}/output": true}
	wide := rig.token(900, "all")
	for _, r := range rig.handler.routes() {
		if r.open {
			if r.scoped || r.tickets {
				t.Errorf("%s is open and scoped", r.path)
			}
			continue
		}
		path := strings.NewReplacer("{id}", id.String(), "{name}", "film.mp4", "{queue}", "default").Replace(r.path)
		for _, method := range r.methods {
			line := strings.Replace(method, "HEAD", "GET", 1) + " " + r.path
			if r.scoped != scoped[line] || r.tickets != ticketed[line] {
				t.Errorf("%s: scoped %t, takes tickets %t", line, r.scoped, r.tickets)
			}
			if !r.scoped {
				if got := rig.status(method, path, wide); got != 403 {
					t.Errorf("%s with a stream token: %d", line, got)
				}
			}
			if !r.tickets {
				if got := do(t, rig.Server, method, path+"?ticket="+rig.ticket("all"), ""); got.StatusCode != 401 {
					t.Errorf("%s with a ticket: %d", line, got.StatusCode)
				}
			}
		}
	}
	var view job.View
	if do(t, rig.Server, "GET", "/v1/jobs/"+id.String(), "", asStudio...).decode(t, &view); !view.Terminal || view.Status != job.Completed {
		t.Errorf("the job is %s", view.Status)
	}
	for _, path := range []string{"/v1/jobs", "/v1/jobs?status=completed", "/v1/jobs?q=echo"} {
		if got := rig.status("GET", path, wide); got != http.StatusForbidden {
			t.Errorf("GET %s: %d", path, got)
		}
	}
}

// What opens a door is in no log, at any level, and in no list, neither where it is taken nor where it is refused.
func TestCredentialsAreNotLogged(t *testing.T) {
	t.Parallel()
	var logged lockedBuffer
	rig := newWorld(t, testenv.Redis(t)).guarded(func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	id, link := rig.order(`{"kind":"gate"}`)
	defer func() { rig.release <- struct{}{} }()
	ticket, token := rig.ticket("all"), rig.token(60, "all")
	login := do(t, rig.Server, "POST", "/v1/session", fmt.Sprintf(`{"token":%q}`, studio))
	cookie := login.Cookies()[0]
	w := watch(t, rig.URL, "/v1/jobs/"+id.String()+"/stream?ticket="+ticket)
	c := w.connect(limited(t))
	c.until(eventReady)
	list := do(t, rig.Server, "GET", "/v1/streams", "", asStudio...).body
	c.close()
	for _, answer := range []reply{
		do(t, rig.Server, "GET", w.path, ""),
		do(t, rig.Server, "GET", "/v1/jobs?ticket="+ticket, "", bearing(token)...),
		do(t, rig.Server, "GET", "/v1/queues?ticket="+ticket, "", bearing(link.Token)...),
		do(t, rig.Server, "DELETE", "/v1/session", "", "Cookie", cookie.Name+"="+cookie.Value),
		do(t, rig.Server, "GET", "/v1/jobs", "", "Cookie", cookie.Name+"="+cookie.Value),
	} {
		list += answer.body
	}
	waitFor(t, "the stream to be logged", func() bool {
		logged.mu.Lock()
		defer logged.mu.Unlock()
		return strings.Contains(logged.b.String(), "end=client")
	})
	logged.mu.Lock()
	defer logged.mu.Unlock()
	for _, secret := range []string{ticket, token, link.Token, cookie.Value, studio, string(sharedSecret)} {
		for _, part := range []string{secret, secret[len(secret)-20:]} {
			if strings.Contains(logged.b.String(), part) || strings.Contains(list, part) {
				t.Errorf("%.12s… is told", part)
			}
		}
	}
}
