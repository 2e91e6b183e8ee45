package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestNodesTakeEachOthersTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	a, b := w.guarded(nil), w.guarded(nil)
	id, link := a.order(`{"kind":"echo","owner":"u1"}`)
	for _, token := range []string{link.Token, a.token(60, "owner:u1")} {
		if got := b.status("GET", "/v1/jobs/"+id.String(), token); got != 200 {
			t.Errorf("the other node: %d", got)
		}
	}
	alone := w.guarded(func(c *Config) { c.Secrets = nil })
	if got := alone.status("GET", "/v1/jobs/"+id.String(), link.Token); got != 401 {
		t.Errorf("a node without the secret: %d", got)
	}
}

// A secret is changed by putting the new one second everywhere, then first, then removing the old one: at no time do two
// neighbouring states refuse each other's tokens.
func TestSecretsAreChangedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	old, fresh := sharedSecret, bytes.Repeat([]byte{9}, MinSecret)
	var nodes []*rig
	for _, secrets := range [][][]byte{{old}, {old, fresh}, {fresh, old}, {fresh}} {
		nodes = append(nodes, w.guarded(func(c *Config) { c.Secrets = secrets }))
	}
	id, _ := nodes[0].order(`{"kind":"echo"}`)
	for i, signs := range nodes {
		token := signs.token(60, "all")
		for k, takes := range nodes {
			want := 200
			if i < 2 && k == 3 || i >= 2 && k == 0 { // they are no neighbours
				want = 401
			}
			if got := takes.status("GET", "/v1/jobs/"+id.String(), token); got != want {
				t.Errorf("signed in state %d, shown in state %d: %d, want %d", i, k, got, want)
			}
		}
	}
	for _, bad := range [][][]byte{{[]byte("short")}, {old, nil}, {old, old, old, old, old, old}} {
		if CheckSecrets(bad) == nil {
			t.Errorf("%d secrets of %d bytes are taken", len(bad), len(bad[0]))
		}
	}
}

func TestATicketIsGoodForOneUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	a, b := w.guarded(nil), w.guarded(nil)
	id, _ := a.order(`{"kind":"echo","owner":"u1"}`)
	other, _ := a.order(`{"kind":"echo","owner":"u2"}`)
	open := func(r *rig, path, ticket string) int {
		t.Helper()
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		req, err := http.NewRequestWithContext(limited(t), "GET", r.URL+path+sep+"ticket="+ticket, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer resp.Body.Close()
		if resp.StatusCode == 200 {
			if head, err := io.ReadAll(io.LimitReader(resp.Body, 64)); err != nil || !strings.Contains(string(head), "event: hello") {
				t.Errorf("%s: %q, %v", path, head, err)
			}
		}
		return resp.StatusCode
	}
	for path, want := range map[string]int{
		"/v1/stream": 200, "/v1/stream?topic=owner:u1": 200, "/v1/stream?topic=all": 403,
		"/v1/jobs/" + id.String() + "/stream": 200, "/v1/jobs/" + other.String() + "/stream": 404,
	} {
		ticket := a.ticket("owner:u1")
		if got := open(b, path, ticket); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
		for _, node := range []*rig{a, b} {
			if got := open(node, path, ticket); got != 401 {
				t.Errorf("%s a second time: %d", path, got)
			}
		}
	}
	ticket := a.ticket("owner:u1")
	var opened atomic.Int64
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if open([]*rig{a, b}[i%2], "/v1/stream", ticket) == 200 {
				opened.Add(1)
			}
		})
	}
	if wg.Wait(); opened.Load() != 1 {
		t.Errorf("of ten at once %d got in", opened.Load())
	}
	late := signed(t, jwt.SigningMethodHS256, sharedSecret, func(c jwt.MapClaims) {
		c["aud"], c["exp"] = "ticket", time.Now().Add(-time.Second).Unix()
	})
	long := signed(t, jwt.SigningMethodHS256, sharedSecret, func(c jwt.MapClaims) { c["aud"] = "ticket" })
	for name, bad := range map[string]string{"late": late, "long-lived": long, "nonsense": "x", "none": "", "a token": a.token(60, "all")} {
		if got := open(a, "/v1/stream", bad); got != 401 {
			t.Errorf("%s: %d", name, got)
		}
	}
	bare := w.guarded(func(c *Config) { c.Once = nil })
	if r := do(t, bare.Server, "POST", "/v1/stream-tickets", `{"topics":["all"]}`, asStudio...); r.StatusCode != 404 {
		t.Errorf("a server without marks: %d", r.StatusCode)
	}
}

// A session that was opened at one node is known at the other, and one that was ended at one is over at both.
func TestSessionsAreTheSameAtEveryNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	often := func(c *Config) { c.Streams.Heartbeat, c.Streams.Recheck = 100*time.Millisecond, 200*time.Millisecond }
	a, b := w.guarded(often), w.guarded(often)
	logIn := func() []string {
		r := do(t, a.Server, "POST", "/v1/session", fmt.Sprintf(`{"token":%q}`, studio))
		if r.StatusCode != 200 || len(r.Cookies()) != 1 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		return []string{"Cookie", r.Cookies()[0].Name + "=" + r.Cookies()[0].Value}
	}
	first, second := logIn(), logIn()
	for _, node := range []*rig{a, b} {
		var who me
		if do(t, node.Server, "GET", "/v1/session", "", first...).decode(t, &who); who.Principal != "studio" {
			t.Errorf("%+v", who)
		}
	}
	if r := do(t, b.Server, "POST", "/v1/jobs", `{"kind":"echo"}`, append(first, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")...); r.StatusCode != 403 {
		t.Errorf("sent by another's page: %d", r.StatusCode)
	}
	open := func(at *rig, cookie string) *connection {
		c := watch(t, at.URL, "/v1/stream")
		c.cookie = cookie
		opened := c.connect(limited(t))
		opened.until(eventReady)
		return opened
	}
	here, there, others := open(b, first[1]), open(a, first[1]), open(a, second[1])
	defer others.close()
	if r := do(t, b.Server, "DELETE", "/v1/session", "", first...); r.StatusCode != 204 {
		t.Errorf("log out: %d", r.StatusCode)
	}
	for _, c := range []*connection{here, there} { // at once, and soon
		if end := endOf(t, c.until(eventEnd)); end.Reason != "revoked" || end.Resume {
			t.Errorf("a stream after logging out: %+v", end)
		}
		c.close()
	}
	others.until(eventBeat)
	for _, node := range []*rig{a, b} {
		if r := do(t, node.Server, "GET", "/v1/jobs", "", first...); r.StatusCode != 401 {
			t.Errorf("after logging out: %d", r.StatusCode)
		}
		if r := do(t, node.Server, "GET", "/v1/jobs", "", second...); r.StatusCode != 200 {
			t.Errorf("another session of the same person: %d", r.StatusCode)
		}
	}
	// It ends with the token that opened it.
	changed := w.guarded(func(c *Config) { c.Tokens = []Token{NewToken("studio", "another")} })
	if r := do(t, changed.Server, "GET", "/v1/jobs", "", second...); r.StatusCode != 401 {
		t.Errorf("after the token was changed: %d", r.StatusCode)
	}
}

// While the marks can't be read people still get in; that they are out is not claimed then.
func TestSessionsOutliveTheirMarks(t *testing.T) {
	t.Parallel()
	server := testenv.StartRedis(t, testenv.Options{})
	client, err := redis.Open(t.Context(), redis.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	_, front := serve(t, Config{Tokens: []Token{NewToken("studio", studio)}, Once: client.Once()})
	login := do(t, front, "POST", "/v1/session", fmt.Sprintf(`{"token":%q}`, studio))
	cookie := []string{"Cookie", login.Cookies()[0].Name + "=" + login.Cookies()[0].Value}
	ticket := do(t, front, "POST", "/v1/stream-tickets", `{"topics":["all"]}`, asStudio...)
	var given issuedTicket
	ticket.decode(t, &given)
	server.Kill()
	if r := do(t, front, "GET", "/v1/session", "", cookie...); r.StatusCode != 200 {
		t.Errorf("a session: %d", r.StatusCode)
	}
	if r := do(t, front, "DELETE", "/v1/session", "", cookie...); r.StatusCode != 503 || len(r.Cookies()) != 1 || r.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logging out: %d, cookies %v", r.StatusCode, r.Cookies())
	}
	if r := do(t, front, "GET", given.URL, ""); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a ticket: %d", r.StatusCode)
	}
}
