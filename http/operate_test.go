package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/meta-ad-studio/troupe/actors/job"
)

func TestDeadLetters(t *testing.T) {
	rig := newRig(t, nil)
	var print string
	for range 3 {
		print = rig.await(rig.submit(`{"kind":"boom","tags":["sad"]}`), job.Failed).Error.Fingerprint
	}
	rig.await(rig.submit(`{"kind":"echo"}`), job.Completed)
	var page jobPage
	do(t, rig.Server, "GET", "/v1/dead?kind=boom&fingerprint="+print, "").decode(t, &page)
	if len(page.Jobs) != 3 || page.Jobs[0].Error.Message != "boom 17" {
		t.Fatalf("%+v", page)
	}
	var groups struct {
		Groups   []groupView
		Complete bool
	}
	do(t, rig.Server, "GET", "/v1/dead/groups?kind=boom&q=boom", "").decode(t, &groups)
	if len(groups.Groups) != 1 || !groups.Complete {
		t.Fatalf("%+v", groups)
	}
	if g := groups.Groups[0]; g.Count != 3 || g.Fingerprint != print || g.Capped || g.Kind != "boom" || g.Queue != "default" || g.Message != "boom 17" ||
		len(g.Sample) != 3 || g.Sample[0] != page.Jobs[0].ID || g.Last.Before(g.First) {
		t.Errorf("%+v", g)
	}
	for query, want := range map[string]int{"/v1/dead?q=status:failed": 200, "/v1/dead?q=status:queued": 422, "/v1/dead/groups?limit=1": 422} {
		if r := do(t, rig.Server, "GET", query, ""); r.StatusCode != want {
			t.Errorf("%s: %d", query, r.StatusCode)
		}
	}
	for _, body := range []string{"", "{}", `{"q":"knd:boom"}`, `{"q":"status:completed"}`, `{"dry_run":true}`, `{"knd":"boom"}`, `{"all":true,"kind":"boom"}`, `{"status":"queued","kind":"boom"}`, `{"kind":"a/b"}`} {
		for method, path := range map[string]string{"POST": "/v1/dead/redrive", "DELETE": "/v1/dead"} {
			if r := do(t, rig.Server, method, path, body); r.StatusCode != 422 {
				t.Errorf("%s %s with %q: %d %s", method, path, body, r.StatusCode, r.body)
			}
		}
	}
	for _, query := range []string{"knd=boom", "all=maybe", "all=true&kind=boom", "limit=1", "dry_run=1", "kind=boom;all=true"} {
		if r := do(t, rig.Server, "DELETE", "/v1/dead?"+query, ""); r.StatusCode != 422 && r.StatusCode != 400 {
			t.Errorf("purge by %s: %d", query, r.StatusCode)
		}
	}
	if r := do(t, rig.Server, "POST", "/v1/dead/redrive?kind=boom", `{"tag":"sad"}`); r.StatusCode != 422 {
		t.Errorf("filters at both places: %d", r.StatusCode)
	}
	var done struct {
		Matched, Redriven, Deleted int
		Capped, More               bool
		DryRun                     bool `json:"dry_run"`
		Sample                     []job.View
	}
	for method, path := range map[string]string{"POST": "/v1/dead/redrive", "DELETE": "/v1/dead"} {
		do(t, rig.Server, method, path, `{"q":"tag:sad error:boom","dry_run":true}`).decode(t, &done)
		if done.Matched != 3 || done.Capped || done.Redriven+done.Deleted != 0 || !done.DryRun || len(done.Sample) != 3 || done.Sample[0].Kind != "boom" {
			t.Errorf("dry run: %+v", done)
		}
	}
	do(t, rig.Server, "POST", "/v1/dead/redrive?tag=sad", "").decode(t, &done)
	if done.Matched != 3 || done.Redriven != 3 || done.More {
		t.Errorf("redrive: %+v", done)
	}
	for _, j := range page.Jobs {
		if view := rig.await(j.ID, job.Failed); view.Run != 2 {
			t.Errorf("after the redrive: life %d", view.Run)
		}
	}
	var purged struct{ Matched, Deleted int }
	do(t, rig.Server, "DELETE", "/v1/dead?all=true", "").decode(t, &purged)
	if purged.Matched != 3 || purged.Deleted != 3 {
		t.Errorf("purge: %+v", purged)
	}
	do(t, rig.Server, "GET", "/v1/dead", "").decode(t, &page)
	if len(page.Jobs) != 0 {
		t.Errorf("left: %+v", page)
	}
}

func TestQueues(t *testing.T) {
	rig := newRig(t, nil)
	set := func(method, verb, body string) (reply, queueView) {
		var view queueView
		r := do(t, rig.Server, method, "/v1/queues/default"+verb, body)
		if r.StatusCode == 200 {
			r.decode(t, &view)
		}
		return r, view
	}
	if r, view := set("POST", "/pause", `{"reason":"provider is down"}`); r.StatusCode != 200 || !view.Paused || view.Reason != "provider is down" {
		t.Errorf("pause: %d %s", r.StatusCode, r.body)
	}
	id := rig.submit(`{"kind":"echo"}`)
	var all struct{ Queues []queueView }
	do(t, rig.Server, "GET", "/v1/queues", "").decode(t, &all)
	if len(all.Queues) != 2 || all.Queues[0].Name != "default" || !all.Queues[0].Paused || all.Queues[0].Depth.Waiting != 1 || all.Queues[0].Depth.Oldest.IsZero() {
		t.Errorf("%+v", all)
	}
	if r, view := set("PATCH", "", `{"concurrency":7}`); r.StatusCode != 200 || view.Concurrency != 7 || !view.Paused {
		t.Errorf("patch: %d %s", r.StatusCode, r.body)
	}
	if r, view := set("PATCH", "", `{"paused":false}`); view.Paused || view.Reason != "" {
		t.Errorf("patch: %d %s", r.StatusCode, r.body)
	}
	rig.await(id, job.Completed)
	set("POST", "/pause", "")
	if r, view := set("POST", "/resume", ""); r.StatusCode != 200 || view.Paused {
		t.Errorf("resume: %d %s", r.StatusCode, r.body)
	}
	for _, body := range []string{`{"concurrency":-1}`, `{"concurrency":10001}`, `{"limit":1}`, `{"paused":"yes"}`} {
		if r, _ := set("PATCH", "", body); r.StatusCode != 422 {
			t.Errorf("%s: %d", body, r.StatusCode)
		}
	}
	if r := do(t, rig.Server, "POST", "/v1/queues/nowhere/pause", ""); r.StatusCode != 404 && r.StatusCode != 422 {
		t.Errorf("a queue that is not there: %d", r.StatusCode)
	}
}

func TestArtifacts(t *testing.T) {
	rig := newRig(t, nil)
	view := rig.await(rig.submit(`{"kind":"files"}`), job.Completed)
	if len(view.Artifacts) != 4 {
		t.Fatalf("%+v", view.Artifacts)
	}
	base := "/v1/jobs/" + view.ID.String() + "/artifacts/"
	for name, want := range map[string][2]string{
		"film.mp4": {"video/mp4", "inline"}, "page.html": {"text/html; charset=utf-8", "attachment"},
		"drawing.svg": {"image/svg+xml", "attachment"}, "odd": {"application/octet-stream", "attachment"},
	} {
		r := do(t, rig.Server, "GET", base+name, "")
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != want[0] || !strings.HasPrefix(r.Header.Get("Content-Disposition"), want[1]) ||
			r.body != "0123456789<script>" {
			t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
		}
		if !strings.Contains(r.Header.Get("Content-Security-Policy"), "sandbox") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may run: %v", name, r.Header)
		}
	}
	whole := do(t, rig.Server, "GET", base+"film.mp4", "")
	tag := whole.Header.Get("ETag")
	for _, c := range []struct {
		headers []string
		status  int
		body    string
	}{
		{[]string{"Range", "bytes=2-4"}, 206, "234"},
		{[]string{"Range", "bytes=-3"}, 206, "pt>"},
		{[]string{"Range", "bytes=99-"}, 416, ""},
		{[]string{"If-None-Match", tag}, 304, ""},
		{[]string{"Range", "bytes=0-0", "If-Range", tag}, 206, "0"},
		{[]string{"Range", "bytes=0-0", "If-Range", `"other"`}, 200, whole.body},
	} {
		r := do(t, rig.Server, "GET", base+"film.mp4", "", c.headers...)
		if r.StatusCode != c.status || c.status < 400 && r.body != c.body {
			t.Errorf("%v: %d %q", c.headers, r.StatusCode, r.body)
		}
	}
	for _, path := range []string{base + "other", base + "..%2f..%2fetc", "/v1/jobs/" + (job.ID{0, 7}).String() + "/artifacts/film.mp4"} {
		if r := do(t, rig.Server, "GET", path, ""); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

func TestReadiness(t *testing.T) {
	rig := newRig(t, nil)
	if r := do(t, rig.Server, "GET", "/readyz", ""); r.StatusCode != 200 || !strings.Contains(r.body, `"store":"ok"`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	rig.handler.Drain(0)
	if r := do(t, rig.Server, "GET", "/readyz", ""); r.StatusCode != 503 {
		t.Errorf("while draining: %d %s", r.StatusCode, r.body)
	}
	if r := do(t, rig.Server, "GET", "/healthz", ""); r.StatusCode != 200 {
		t.Errorf("health while draining: %d", r.StatusCode)
	}
}

// What clients send must not become series.
func TestMetricsAreBounded(t *testing.T) {
	rig := newRig(t, nil)
	provoke := func(round int) {
		for i := range 20 {
			odd := fmt.Sprintf("r%d-%d", round, i)
			do(t, rig.Server, "GET", "/"+odd, "")
			do(t, rig.Server, "GET", "/v1/jobs/"+odd, "")
			do(t, rig.Server, "POST", "/v1/queues/"+odd+"/pause", "")
			do(t, rig.Server, "X"+strings.ToUpper(odd), "/v1/jobs", "")
			do(t, rig.Server, "GET", "/v1/stream?topic="+odd, "")
		}
	}
	provoke(1)
	before := countSeries(t, rig)
	provoke(2)
	if after := countSeries(t, rig); after != before {
		t.Errorf("%d series became %d", before, after)
	}
	r := do(t, rig.Server, "GET", "/metrics", "", "Accept", "application/openmetrics-text")
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/openmetrics-text") || !strings.Contains(r.body, `route="/v1/jobs/{id}"`) {
		t.Errorf("%s", r.Header.Get("Content-Type"))
	}
}

func countSeries(t *testing.T, rig *rig) int {
	t.Helper()
	families, err := rig.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "troupe_http_") || strings.HasPrefix(family.GetName(), "troupe_sse_") {
			count += len(family.GetMetric())
		}
	}
	return count
}
