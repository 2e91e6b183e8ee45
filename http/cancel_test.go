package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// late is what a request to cancel is answered that could not stop the job.
type late struct {
	Code, State string
	EndedAs     string `json:"ended_as"`
	Status      int
}

func (r *rig) cancel(id job.ID, query, body string) (reply, job.View) {
	r.t.Helper()
	got := do(r.t, r.Server, http.MethodPost, "/v1/jobs/"+id.String()+"/cancel"+query, body)
	var v job.View
	if got.StatusCode == http.StatusOK {
		got.decode(r.t, &v)
	}
	return got, v
}

func TestARequestToCancelIsAnsweredWithWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	rig := newRig(t, func(c *Config) { c.Name = "n7" })
	id := rig.submit(`{"kind":"gate"}`)
	rig.await(id, job.Processing)
	long := strings.Repeat("x", job.MaxCancelReason+1)
	for body, want := range map[string]int{`{"reason":"` + long + `"}`: 413, `{"why":"x"}`: 422, `{"reason":7}`: 422, `{`: 400} {
		if r, _ := rig.cancel(id, "", body); r.StatusCode != want {
			t.Errorf("%.40s: %d %s", body, r.StatusCode, r.body)
		}
	}
	for _, query := range []string{"?wait=1h", "?wait=-1s", "?wait=soon", "?wait=1s&wait=2s", "?waiting=1s"} {
		if r, _ := rig.cancel(id, query, ""); r.StatusCode != 422 {
			t.Errorf("%s: %d %s", query, r.StatusCode, r.body)
		}
	}
	hostile := "\"><script>\u0001\x1b[2J\u2028"
	reason, _ := json.Marshal(map[string]string{"reason": hostile})
	r, v := rig.cancel(id, "?wait=10s", string(reason))
	if r.StatusCode != 200 || v.Status != job.Cancelled || v.Cancel == nil || v.Cancel.State != job.CancelConfirmed || v.Cancel.Reason != hostile || time.Since(v.Cancel.At) > time.Minute {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if strings.Contains(r.body, "<script>") || r.Header.Get("Troupe-Node") != "n7" {
		t.Errorf("%v %s", r.Header, r.body)
	}
	if r, again := rig.cancel(id, "", `{"reason":"another"}`); r.StatusCode != 200 || *again.Cancel != *v.Cancel {
		t.Errorf("asked again: %d %s", r.StatusCode, r.body)
	}
	stream := watch(t, rig.URL, "/v1/jobs/"+id.String()+"/stream").connect(limited(t))
	defer stream.close()
	if text := stream.until(eventJob).data; !strings.Contains(text, `"cancel":{"state":"confirmed"`) {
		t.Errorf("the stream shows %s", text)
	}

	done := rig.submit(`{"kind":"echo"}`)
	rig.await(done, job.Completed)
	for range 2 {
		r, _ := rig.cancel(done, "?wait=5s", "")
		var p late
		r.decode(t, &p)
		if r.StatusCode != 409 || p.Code != "already_ended" || p.State != "too_late" || p.EndedAs != "completed" || p.Status != 409 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	}
}

func TestWaitingForTheEndOfAJobThatGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testenv.Redis(t))
	rig := w.startWith(nil, map[string]actors.Handler{"stubborn": func(context.Context, *actors.Job) error { <-w.release; return nil }})
	id := rig.submit(`{"kind":"stubborn"}`)
	rig.await(id, job.Processing)
	r, v := rig.cancel(id, "?wait=200ms", "")
	if r.StatusCode != 200 || v.Cancel.State != job.CancelRequest || v.Status != job.Cancelling {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	rig.release <- struct{}{}
	r, _ = rig.cancel(id, "?wait=10s", "")
	var p late
	r.decode(t, &p)
	if r.StatusCode != 409 || p.State != "too_late" || p.EndedAs != "completed" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestDrainOfANode(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 2)
	w := newWorld(t, testenv.Redis(t))
	rig := w.start(nil, func(c *actors.Config) { c.OnDrain = func(by string) { asked <- by } })
	if r := do(t, rig.Server, http.MethodPost, "/v1/nodes/"+rig.app.Node()+"/drain", ""); r.StatusCode != 202 || !strings.Contains(r.body, `"told":"direct"`) {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	<-asked
	for path, want := range map[string]int{"/v1/nodes/nobody/drain": 404, "/v1/nodes/no.%20/drain": 404, "/v1/nodes/" + rig.app.Node() + "/drain?now=1": 422} {
		if r := do(t, rig.Server, http.MethodPost, path, ""); r.StatusCode != want {
			t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
		}
	}
	fixed := w.start(nil, nil)
	if r := do(t, fixed.Server, http.MethodPost, "/v1/nodes/"+fixed.app.Node()+"/drain", ""); r.StatusCode != 409 {
		t.Errorf("a node that can't be drained: %d %s", r.StatusCode, r.body)
	}
}
