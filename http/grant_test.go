package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

func TestATokenShowsTheJobsOfItsTopics(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	mine, link := rig.order(`{"kind":"files","owner":"u1","batch":"b1"}`)
	other, _ := rig.order(`{"kind":"files","owner":"u2","batch":"b2"}`)
	missing := noJob(t)
	for _, id := range []job.ID{mine, other} {
		waitFor(t, "the end", func() bool {
			var view job.View
			do(t, rig.Server, "GET", "/v1/jobs/"+id.String(), "", asStudio...).decode(t, &view)
			return view.Terminal
		})
	}
	var all, none []string
	for _, path := range []string{"", "/artifacts/film.mp4", "/stream"} {
		all = append(all, "/v1/jobs/"+mine.String()+path)
		none = append(none, "/v1/jobs/"+other.String()+path)
	}
	for name, token := range map[string]string{
		"owner": rig.token(60, "owner:u1"), "batch": rig.token(60, "batch:b1"), "job": rig.token(60, "job:"+mine.String()),
		"two topics": rig.token(60, "owner:nobody", "batch:b1"), "the answer's": link.Token,
	} {
		for _, path := range all {
			if got := rig.status("GET", path, token); got != 200 {
				t.Errorf("%s: %s is %d", name, path, got)
			}
		}
		for _, path := range none {
			hidden := do(t, rig.Server, "GET", path, "", bearing(token)...)
			absent := do(t, rig.Server, "GET", strings.Replace(path, other.String(), missing.String(), 1), "", bearing(token)...)
			if hidden.StatusCode != 404 || shape(t, hidden, other) != shape(t, absent, missing) {
				t.Errorf("%s: hidden %s\nis told from absent %s", name, hidden.body, absent.body)
			}
		}
		ids := fmt.Sprintf("/v1/jobs?ids=%s,%s,%s", mine, other, missing)
		r := do(t, rig.Server, "GET", ids, "", bearing(token)...)
		var page jobPage
		if r.decode(t, &page); len(page.Jobs) != 1 || page.Jobs[0].ID != mine || fmt.Sprint(page.Missing) != fmt.Sprint([]job.ID{other, missing}) {
			t.Errorf("%s: %s", name, r.body)
		}
		tag := r.Header.Get("ETag")
		if r := do(t, rig.Server, "GET", ids, "", append(bearing(token), "If-None-Match", tag)...); r.StatusCode != 304 || r.body != "" {
			t.Errorf("%s: unchanged: %d %s", name, r.StatusCode, r.body)
		}
	}
}

// noJob is an id that no job has.
func noJob(t *testing.T) job.ID {
	t.Helper()
	id, err := job.ParseID("01a2089b-065d-791a-a074-834b77ce213c")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// shape is an answer without what differs between any two.
func shape(t *testing.T, r reply, id job.ID) string {
	t.Helper()
	p := r.problem(t)
	p.RequestID = ""
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), id.String(), "ID")
}

func TestAStreamIsHeldToItsToken(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	mine, _ := rig.order(`{"kind":"echo","owner":"u1"}`)
	other, _ := rig.order(`{"kind":"echo","owner":"u2"}`)
	token := rig.token(60, "owner:u1")
	for query, want := range map[string]int{
		"": 200, "?topic=owner:me": 200, "?topic=owner:u1": 200, "?topic=job:" + mine.String(): 200,
		"?topic=owner:u2": 403, "?topic=all": 403, "?topic=queue:default": 403, "?topic=owner:u1&topic=all": 403, "?topic=stats": 403,
		"?topic=job:" + other.String(): 403, "?topic=job:" + noJob(t).String(): 403,
	} {
		w := watch(t, rig.URL, "/v1/stream"+query)
		w.token = token
		c := w.dial(limited(t))
		if c.resp.StatusCode != want {
			t.Errorf("%s: %d", query, c.resp.StatusCode)
		} else if want == 200 {
			c.until(eventReady)
			if told := w.told(); len(told) != 1 || told[mine] == "" {
				t.Errorf("%s shows %v", query, told)
			}
		}
		c.close()
	}
	// Who claims to know a job is not shown it.
	ctx := limited(t)
	body := fmt.Sprintf(`{"known":{%q:1,%q:1}}`, mine, other)
	req, err := http.NewRequestWithContext(ctx, "POST", rig.URL+"/v1/stream", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for parser := newParser(resp.Body); ; {
		e, err := parser.next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.data, other.String()) {
			t.Errorf("shown: %s", e.data)
		}
		if e.name == eventReady {
			return
		}
	}
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	id, _ := rig.order(`{"kind":"gate","owner":"u1"}`)
	defer func() { rig.release <- struct{}{} }()
	of := "/v1/jobs/" + id.String()
	for path, complete := range map[string]string{
		"/v1/stream": eventReady, of + "/stream": eventReady, of + "/logs?follow=1": eventHello, of + "/output?follow=1": eventHello,
	} {
		w := watch(t, rig.URL, path)
		w.token = rig.token(2, "owner:u1")
		c := w.dial(limited(t))
		c.until(complete)
		if end := endOf(t, c.until(eventEnd)); end.Reason != "expired" || !end.Resume {
			t.Errorf("%s: %+v", path, end)
		}
		if _, more := c.tryNext(); more {
			t.Errorf("%s goes on after its end", path)
		}
		c.close()
		if got := rig.status("GET", path, w.token); got != 401 {
			t.Errorf("%s again: %d", path, got)
		}
		w.token = rig.token(60, "owner:u1")
		c = w.dial(limited(t)) // with another token it goes on
		c.until(complete)
		c.close()
	}
}

func TestSubmissionsComeWithATokenForTheirStream(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	var video accepted
	do(t, rig.Server, "POST", "/v1/videos", `{"prompt":"a kite"}`, asStudio...).decode(t, &video)
	_, one := rig.order(`{"kind":"echo"}`)
	if got := rig.status("GET", "/v1/jobs/"+video.ID.String(), video.Stream.Token); got != 200 {
		t.Errorf("a video's: %d", got)
	}
	if got := rig.status("GET", "/v1/jobs/"+video.ID.String(), one.Token); got != 404 {
		t.Errorf("another's: %d", got)
	}
	if left := time.Until(*one.Expires); left > 15*time.Minute || left < 14*time.Minute {
		t.Errorf("it expires in %s", left)
	}
	batch := func(n int, item string) (b batchAnswer) {
		do(t, rig.Server, "POST", "/v1/jobs/batch", strings.Repeat(item+"\n", n), asStudio...).decode(t, &b)
		return b
	}
	many := batch(60, `{"kind":"echo","batch":"b7"}`)
	if many.Stream == nil || many.Stream.URL != "/v1/stream?topic=batch%3Ab7" {
		t.Fatalf("a batch: %+v", many.Stream)
	}
	if got := rig.status("GET", "/v1/jobs/"+many.Items[59].Job.ID.String(), many.Stream.Token); got != 200 {
		t.Errorf("the last of the batch: %d", got)
	}
	if few := batch(2, `{"kind":"echo"}`); few.Stream == nil || strings.Count(few.Stream.URL, "job%3A") != 2 || few.Items[0].Job.Stream.Token != "" {
		t.Errorf("two without a batch: %+v", few.Stream)
	}
	if few := batch(maxGrantTopics+1, `{"kind":"echo"}`); few.Stream != nil {
		t.Errorf("too many without a batch: %+v", few.Stream)
	}
}

func TestWithoutTokensNoneIsGivenUnasked(t *testing.T) {
	t.Parallel()
	rig := newRig(t, func(c *Config) { c.Secrets = [][]byte{sharedSecret} })
	r := do(t, rig.Server, "POST", "/v1/jobs", `{"kind":"echo","owner":"u1"}`)
	if r.StatusCode != 202 || strings.Contains(r.body, `"token"`) || strings.Contains(r.body, "expires_at") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	var first job.View
	r.decode(t, &first)
	rig.await(first.ID, job.Completed)
	rig.await(rig.submit(`{"kind":"echo","owner":"u2"}`), job.Completed)
	var given issued
	do(t, rig.Server, "POST", "/v1/stream-tokens", `{"topics":["owner:u1"]}`).decode(t, &given)
	for token, want := range map[string]int{"": 2, "somebody-elses": 2, given.Token: 1} {
		w := watch(t, rig.URL, "/v1/stream")
		w.token = token
		c := w.connect(limited(t))
		c.until(eventReady)
		if told := w.told(); len(told) != want {
			t.Errorf("with %.10q: %v", token, told)
		}
		c.close()
	}
}

func TestWhatIsAskedOfATokenIsChecked(t *testing.T) {
	t.Parallel()
	rig := newWorld(t, testenv.Redis(t)).guarded(nil)
	for body, want := range map[string]int{
		`{}`: 422, `{"topics":[]}`: 422, `{"topics":"all"}`: 422, `{"topics":["everything"]}`: 422, `{"topics":["owner:*"]}`: 422,
		`{"topics":["all"],"ttl_s":0}`: 422, `{"topics":["all"],"ttl_s":901}`: 422, `{"topics":["all"],"ttl":60}`: 422, `{`: 400,
		`{"topics":["` + strings.Repeat(`owner:u","owner:v","`, 300) + `all"]}`: 413,
	} {
		if r := do(t, rig.Server, "POST", "/v1/stream-tokens", body, asStudio...); r.StatusCode != want {
			t.Errorf("%.60s: %d %s", body, r.StatusCode, r.body)
		}
	}
	var i issued
	do(t, rig.Server, "POST", "/v1/stream-tokens", `{"topics":["owner:me","all","all"]}`, asStudio...).decode(t, &i)
	if fmt.Sprint(i.Topics) != "[owner:studio all]" {
		t.Errorf("topics %v", i.Topics)
	}
}
