package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
)

func TestOneJobFromEndToEnd(t *testing.T) {
	rig := newRig(t, nil)
	r := do(t, rig.Server, "POST", "/v1/jobs", `{"kind":"echo","payload":{"n":9007199254740993},"tags":["t1"],"owner":"u42"}`)
	var first accepted
	r.decode(t, &first)
	if r.StatusCode != 202 || r.Header.Get("Location") != "/v1/jobs/"+first.ID.String() || r.Header.Get("Durability") != "inbox" ||
		first.Stream.URL != "/v1/jobs/"+first.ID.String()+"/stream" || string(first.Payload) != `{"n":9007199254740993}` {
		t.Fatalf("%d %v %s", r.StatusCode, r.Header, r.body)
	}
	done := rig.await(first.ID, job.Completed)
	if string(done.Result) != `{"n":9007199254740993}` || done.Progress != 100 || !done.Terminal || done.CompletedAt.IsZero() {
		t.Errorf("%+v", done)
	}
	path := "/v1/jobs/" + first.ID.String()
	tag := do(t, rig.Server, "GET", path, "").Header.Get("ETag")
	if tag != fmt.Sprintf(`"%d"`, done.Version) {
		t.Errorf("ETag %s of version %d", tag, done.Version)
	}
	for _, have := range []string{tag, "W/" + tag, `"1", ` + tag, "*"} {
		if r := do(t, rig.Server, "GET", path, "", "If-None-Match", have); r.StatusCode != 304 || r.body != "" || r.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d", have, r.StatusCode)
		}
	}
	var history struct{ Events []job.Transition }
	do(t, rig.Server, "GET", path+"/events", "").decode(t, &history)
	if n := len(history.Events); n < 3 || history.Events[0].Event != "Submitted" || history.Events[n-1].Status != job.Completed {
		t.Errorf("history %+v", history)
	}
	for query, want := range map[string]int{
		"status=completed": 1, "status=failed": 0, "status=failed&status=completed": 1, "status=failed,completed": 1, "kind=echo&tag=t1&owner=u42": 1,
		"text=90071": 1, "text=nothing": 0, "queue=default&limit=1": 1, "from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z": 0,
		"cursor=" + first.ID.String(): 0,
	} {
		var page jobPage
		do(t, rig.Server, "GET", "/v1/jobs?"+query, "").decode(t, &page)
		if len(page.Jobs) != want {
			t.Errorf("%s: %d jobs, want %d", query, len(page.Jobs), want)
		}
	}
	for _, query := range []string{"state=failed", "status=done", "limit=0", "limit=501", "limit=x", "cursor=x", "from=today", "kind=a&kind=b", "kind=a%2Fb", "ids=x", "ids=" + first.ID.String() + "&kind=a"} {
		if r := do(t, rig.Server, "GET", "/v1/jobs?"+query, ""); r.StatusCode != 422 {
			t.Errorf("%s: %d", query, r.StatusCode)
		}
	}
}

func TestPollByIDs(t *testing.T) {
	rig := newRig(t, nil)
	a, b, none := rig.submit(`{"kind":"echo"}`), rig.submit(`{"kind":"gate"}`), job.ID{0, 2, 3}
	rig.await(a, job.Completed)
	path := fmt.Sprintf("/v1/jobs?ids=%s,%s,%s,%s", b, none, a, b)
	rig.await(b, job.Processing)
	var page jobPage
	r := do(t, rig.Server, "GET", path, "")
	r.decode(t, &page)
	if len(page.Jobs) != 2 || page.Jobs[0].ID != b || page.Jobs[1].ID != a || !cmp.Equal(page.Missing, []job.ID{none}) {
		t.Errorf("%+v", page)
	}
	rig.release <- struct{}{}
	rig.await(b, job.Completed)
	changed := do(t, rig.Server, "GET", path, "", "If-None-Match", r.Header.Get("ETag"))
	if changed.StatusCode != 200 {
		t.Errorf("after a change: %d", changed.StatusCode)
	}
	if again := do(t, rig.Server, "GET", path, "", "If-None-Match", changed.Header.Get("ETag")); again.StatusCode != 304 {
		t.Errorf("without a change: %d", again.StatusCode)
	}
}

// What people type first must work: curl -d says that it sends a form.
func TestVideosAsTyped(t *testing.T) {
	var checked string
	rig := newRig(t, func(c *Config) {
		c.ParseVideo = func(payload json.RawMessage) error {
			if checked = string(payload); strings.Contains(checked, "forbidden") {
				return fmt.Errorf("prompt: no")
			}
			return nil
		}
	})
	r := do(t, rig.Server, "POST", "/v1/videos", `{"prompt":"a kite","duration":5}`, "Content-Type", "application/x-www-form-urlencoded")
	var view accepted
	r.decode(t, &view)
	if r.StatusCode != 202 || view.Kind != "video.generate" || view.Queue != "video" || r.Header.Get("Durability") != "store" || !strings.Contains(checked, "kite") {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	rig.await(view.ID, job.Completed)
	for body, want := range map[string]string{
		`{"prompt":"x","image_url":"y"}`: `unknown field "image_url"`, `{}`: "prompt: is needed", `{"prompt":5}`: "prompt: want a string",
		`{"prompt":"x","duration":"5"}`: "duration: want a number", `{"prompt":"forbidden"}`: "prompt: no",
	} {
		if p := do(t, rig.Server, "POST", "/v1/videos", body).problem(t); p.Status != 422 || !strings.Contains(p.Detail, want) {
			t.Errorf("%s: %+v", body, p)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	rig := newRig(t, nil)
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		status     int
	}{
		"large body":    {"/v1/jobs", `{"kind":"echo","payload":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413},
		"large payload": {"/v1/jobs", `{"kind":"echo","payload":"` + strings.Repeat("x", 256<<10) + `"}`, nil, 413},
		"large video":   {"/v1/videos", `{"prompt":"` + strings.Repeat("x", 256<<10) + `"}`, nil, 413},
		"large batch":   {"/v1/jobs/batch", strings.Repeat(`{"kind":"echo"}`+"\n", 1001), nil, 413},
		"not UTF-8":     {"/v1/jobs", "{\"kind\":\"\xff\"}", nil, 400},
		"no JSON":       {"/v1/jobs", "kind=echo", nil, 400},
		"multipart":     {"/v1/jobs", `{"kind":"echo"}`, []string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		"gzip":          {"/v1/jobs", `{"kind":"echo"}`, []string{"Content-Encoding", "gzip"}, 415},
		"latin-1":       {"/v1/jobs", `{"kind":"echo"}`, []string{"Content-Type", "application/json; charset=latin1"}, 415},
		"unknown kind":  {"/v1/jobs", `{"kind":"nobody"}`, nil, 422},
		"unknown queue": {"/v1/jobs", `{"kind":"echo","queue":"nowhere"}`, nil, 422},
		"empty batch":   {"/v1/jobs/batch", `[]`, nil, 422},
		"long key":      {"/v1/jobs", `{"kind":"echo"}`, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400},
		"odd key":       {"/v1/jobs", `{"kind":"echo"}`, []string{"Idempotency-Key", "é"}, 400},
		"two keys":      {"/v1/jobs", `{"kind":"echo"}`, []string{"Idempotency-Key", "a", "Idempotency-Key", "b"}, 400},
	} {
		r := do(t, rig.Server, "POST", c.path, c.body, c.headers...)
		if r.StatusCode != c.status {
			t.Errorf("%s: %d %.300s", name, r.StatusCode, r.body)
		}
		r.problem(t)
	}
	if r := do(t, rig.Server, "GET", "/v1/jobs/"+(job.ID{0, 9}).String(), ""); r.StatusCode != 404 {
		t.Errorf("a job that is not there: %d", r.StatusCode)
	}
	if r := do(t, rig.Server, "GET", "/v1/jobs/nonsense", ""); r.StatusCode != 404 {
		t.Errorf("no id at all: %d", r.StatusCode)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	rig := newRig(t, nil)
	body := `{"kind":"echo","payload":{"prompt":"a","n":1}}`
	first := do(t, rig.Server, "POST", "/v1/jobs", body, "Idempotency-Key", "k1")
	again := do(t, rig.Server, "POST", "/v1/jobs", `{"payload":{"n":1,"prompt":"\u0061"},"kind":"echo"}`, "Idempotency-Key", "k1")
	if first.StatusCode != 202 || again.StatusCode != 202 || again.Header.Get("Location") != first.Header.Get("Location") ||
		again.Header.Get("Idempotent-Replayed") != "true" || first.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("%d %v, then %d %v", first.StatusCode, first.Header, again.StatusCode, again.Header)
	}
	p := do(t, rig.Server, "POST", "/v1/jobs", `{"kind":"echo","payload":{"prompt":"b","n":1},"tags":["x"]}`, "Idempotency-Key", "k1").problem(t)
	if p.Status != 422 || p.Code != "key_conflict" || !cmp.Equal(p.Differs, []string{"payload.prompt", "tags"}) {
		t.Errorf("another body: %+v", p)
	}
	var all sync.Map
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for {
				r := do(t, rig.Server, "POST", "/v1/jobs", body, "Idempotency-Key", "k2")
				if r.StatusCode == 409 && r.Header.Get("Retry-After") == "1" {
					continue
				}
				if r.StatusCode != 202 {
					t.Errorf("%d %s", r.StatusCode, r.body)
				}
				all.Store(r.Header.Get("Location"), nil)
				return
			}
		})
	}
	group.Wait()
	count := 0
	all.Range(func(any, any) bool { count++; return true })
	if count != 1 {
		t.Errorf("one key made %d jobs", count)
	}
}

func TestBatch(t *testing.T) {
	rig := newRig(t, nil)
	send := func(body string, headers ...string) (reply, batchAnswer) {
		var a batchAnswer
		r := do(t, rig.Server, "POST", "/v1/jobs/batch", body, headers...)
		if r.StatusCode < 400 {
			r.decode(t, &a)
		}
		return r, a
	}
	r, a := send(`[{"kind":"echo"},{"kind":"video.generate","payload":{}}]`)
	if r.StatusCode != 202 || a.Accepted != 2 || a.Items[0].Durability != "inbox" || a.Items[1].Durability != "store" {
		t.Errorf("array: %d %s", r.StatusCode, r.body)
	}
	r, a = send("{\"kind\":\"echo\"}\r\n\n{\"kind\":\"nobody\"}\n{\"kind\":\"echo\",\"queue\":\"nowhere\"}", "Content-Type", "application/x-ndjson")
	if r.StatusCode != 207 || a.Accepted != 1 || a.Refused != 2 || a.Items[1].Problem.Code != "unknown_kind" || a.Items[2].Status != 422 {
		t.Errorf("lines: %d %s", r.StatusCode, r.body)
	}
	r, _ = send(`[{"kind":"echo"},{"kind":"echo","x":1},{"kind":5}]`)
	if p := r.problem(t); p.Status != 422 || len(p.Errors) != 2 || p.Errors[0].Index != 1 || p.Errors[1].Index != 2 {
		t.Errorf("unreadable items: %+v", p)
	}
	_, one := send(`[{"kind":"echo"},{"kind":"echo","key":"own"}]`, "Idempotency-Key", "b1")
	r, two := send(`[{"kind":"echo"},{"kind":"echo","key":"own"}]`, "Idempotency-Key", "b1")
	for i := range one.Items {
		if two.Items[i].Job.ID != one.Items[i].Job.ID || !two.Items[i].Replayed {
			t.Errorf("item %d again: %s", i, r.body)
		}
	}
}

func TestActions(t *testing.T) {
	rig := newRig(t, nil)
	act := func(id job.ID, method, verb, body string) (reply, job.View) {
		var view job.View
		r := do(t, rig.Server, method, "/v1/jobs/"+id.String()+verb, body)
		if r.StatusCode == 200 {
			r.decode(t, &view)
		}
		return r, view
	}
	later := rig.submit(`{"kind":"echo","delay":"1h"}`)
	for range 2 {
		if r, view := act(later, "POST", "/cancel", `{"reason":"changed my mind"}`); r.StatusCode != 200 || view.Status != job.Cancelled {
			t.Errorf("cancel: %d %s", r.StatusCode, r.body)
		}
	}
	if r, view := act(later, "POST", "/retry", ""); r.StatusCode != 200 || view.Run != 2 {
		t.Errorf("redrive: %d %s", r.StatusCode, r.body)
	}
	rig.await(later, job.Completed)
	if r, _ := act(later, "POST", "/retry", ""); r.StatusCode != 409 {
		t.Errorf("retry of a completed job: %d", r.StatusCode)
	}
	if r, _ := act(later, "POST", "/cancel", ""); r.StatusCode != 409 || r.problem(t).Code != "already_ended" {
		t.Errorf("cancel of a completed job: %d", r.StatusCode)
	}
	soon := rig.submit(`{"kind":"echo","delay":"1h"}`)
	if r, _ := act(soon, "POST", "/retry", "{}"); r.StatusCode != 200 {
		t.Errorf("hasten: %d %s", r.StatusCode, r.body)
	}
	rig.await(soon, job.Completed)
	running := rig.submit(`{"kind":"gate"}`)
	rig.await(running, job.Processing)
	if r, _ := act(running, "DELETE", "", ""); r.StatusCode != 409 {
		t.Errorf("delete of a running job: %d", r.StatusCode)
	}
	if r, _ := act(running, "POST", "/cancel", `{"reasons":1}`); r.StatusCode != 422 {
		t.Errorf("unknown field: %d", r.StatusCode)
	}
	if r, _ := act(running, "POST", "/cancel", ""); r.StatusCode != 200 {
		t.Errorf("cancel of a running job: %d", r.StatusCode)
	}
	rig.await(running, job.Cancelled)
	if r, _ := act(running, "DELETE", "", ""); r.StatusCode != http.StatusNoContent {
		t.Errorf("delete: %d %s", r.StatusCode, r.body)
	}
	if r, _ := act(running, "GET", "", ""); r.StatusCode != 404 {
		t.Errorf("afterwards: %d", r.StatusCode)
	}
}
