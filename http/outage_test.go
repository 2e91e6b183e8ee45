package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/redis"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// While the inbox is down the node says so, soon, refuses what it can't keep, and goes on answering and showing the rest.
func TestWhileTheInboxIsDown(t *testing.T) {
	t.Parallel()
	server := testenv.StartRedis(t, testenv.Options{Durable: true})
	w := newWorld(t, server.URL)
	client, err := redis.Open(t.Context(), w.redis)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	rig := w.start(nil, func(c *actors.Config) { c.Inbox = client.Inbox() })
	id := rig.submit(`{"kind":"echo"}`)
	rig.await(id, job.Completed)
	server.Kill()
	began := time.Now()
	if r := do(t, rig.Server, "GET", "/readyz", ""); r.StatusCode != 503 || !strings.Contains(r.body, `"status":"not ready"`) || !strings.Contains(r.body, `"store":"ok"`) {
		t.Errorf("readyz: %d %s", r.StatusCode, r.body)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("readyz took %s", took)
	}
	if r := do(t, rig.Server, "GET", "/healthz", ""); r.StatusCode != 200 {
		t.Errorf("healthz: %d", r.StatusCode)
	}
	r := do(t, rig.Server, "POST", "/v1/jobs", `{"kind":"echo"}`)
	if p := r.problem(t); p.Status != 503 || p.Code != "unavailable" || r.Header.Get("Retry-After") == "" || strings.Contains(r.body, server.Addr) {
		t.Errorf("submit: %s", r.body)
	}
	if r := do(t, rig.Server, "POST", "/v1/jobs/batch", `[{"kind":"echo"},{"kind":"echo"}]`); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("batch: %d %s", r.StatusCode, r.body)
	}
	if r := do(t, rig.Server, "GET", "/v1/jobs/"+id.String(), ""); r.StatusCode != 200 {
		t.Errorf("get: %d %s", r.StatusCode, r.body)
	}
	c := watch(t, rig.URL, "/v1/stream?topic=all").connect(limited(t))
	defer c.close()
	if c.until(eventReady); !c.knows(id) {
		t.Errorf("a stream says %v", c.told())
	}
	server.Start()
	waitFor(t, "readiness", func() bool { return do(t, rig.Server, "GET", "/readyz", "").StatusCode == 200 })
	rig.await(rig.submit(`{"kind":"echo"}`), job.Completed)
}
