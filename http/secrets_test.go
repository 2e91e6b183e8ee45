package httpapi

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// What people and programs send, and what handlers make of it, is in no log, at any level: neither the node's nor the
// interface's.
func TestNothingConfidentialIsLogged(t *testing.T) {
	t.Parallel()
	var logged lockedBuffer
	log := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	token := "secret-token"
	rig := newWorld(t, testenv.Redis(t)).start(
		func(c *Config) { c.Logger, c.Tokens = log, []Token{NewToken("studio", token)} },
		func(c *actors.Config) { c.Log = log },
	)
	bearer := []string{"Authorization", "Bearer " + token}
	send := func(method, path, body string, headers ...string) reply {
		return do(t, rig.Server, method, path, body, append(headers, bearer...)...)
	}
	ended := func(r reply) job.View {
		t.Helper()
		if r.StatusCode != 202 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		var view job.View
		r.decode(t, &view)
		waitFor(t, "the end", func() bool {
			send("GET", "/v1/jobs/"+view.ID.String(), "").decode(t, &view)
			return view.Terminal
		})
		return view
	}
	done := ended(send("POST", "/v1/jobs", `{"kind":"echo","payload":{"prompt":"secret-payload"}}`, "Idempotency-Key", "secret-key"))
	if !strings.Contains(string(done.Result), "secret-payload") {
		t.Fatalf("result %s", done.Result)
	}
	ended(send("POST", "/v1/videos", `{"prompt":"secret-prompt"}`))
	send("POST", "/v1/jobs", `{"kind":"echo","payload":{"prompt":"secret-other"}}`, "Idempotency-Key", "secret-key")
	send("POST", "/v1/jobs", `{"kind":"echo","secret-field":1}`)
	send("POST", "/v1/jobs", `secret-nonsense`)
	send("GET", "/v1/jobs?text=secret-text", "")
	send("GET", "/v1/jobs?secret-parameter=1", "")
	send("POST", "/v1/jobs/"+done.ID.String()+"/cancel", `{"reason":"secret-reason"}`)
	do(t, rig.Server, "GET", "/v1/jobs", "", "Authorization", "Bearer secret-wrong", "Cookie", "troupe_session=secret-cookie")
	do(t, rig.Server, "POST", "/v1/session", fmt.Sprintf(`{"token":%q}`, token))
	do(t, rig.Server, "POST", "/v1/session", `{"token":"secret-wrong"}`)
	c := watch(t, rig.URL, "/v1/stream?topic=all&last_event_id=secret-0")
	r := do(t, rig.Server, "GET", c.path, "")
	if r.StatusCode != 401 {
		t.Errorf("a stream without a token: %d", r.StatusCode)
	}
	logged.mu.Lock()
	defer logged.mu.Unlock()
	for line := range strings.Lines(logged.b.String()) {
		if strings.Contains(line, "secret") {
			t.Errorf("logged: %s", line)
		}
	}
	if !strings.Contains(logged.b.String(), `"route":"/v1/videos"`) {
		t.Errorf("the log has no requests: %s", logged.b.String())
	}
}
