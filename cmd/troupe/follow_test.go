package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// connections answers the first request for a stream with the first script, and so on; a script is what is sent before the connection ends.
func connections(t *testing.T, scripts ...string) (f *follower, lastIDs *[]string, shown *[]string) {
	t.Helper()
	lastIDs, shown = &[]string{}, &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := len(*lastIDs)
		*lastIDs = append(*lastIDs, r.Header.Get("Last-Event-ID"))
		switch script := scripts[min(n, len(scripts)-1)]; script {
		case "204":
			w.WriteHeader(http.StatusNoContent)
		case "404", "503":
			w.Header().Set("Content-Type", "application/problem+json")
			var status int
			fmt.Sscan(script, &status)
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"title":"Problem %s"}`, script)
		case "silence":
			fmt.Fprint(w, "retry: 1\nevent: hello\ndata: {\"hb_ms\":1}\n\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			fmt.Fprint(w, "retry: 1\n\n"+script)
		}
	}))
	t.Cleanup(func() { server.Close(); http.DefaultClient.CloseIdleConnections() })
	f = &follower{
		client: &client{Server: server.URL}, id: job.ID{1},
		show: func(c change, _ []byte) { *shown = append(*shown, fmt.Sprint(c.Rev, " ", c.Status)) },
		lost: func(error, time.Duration) {},
	}
	return f, lastIDs, shown
}

func jobFrame(id string, rev int, status string, terminal bool) string {
	return fmt.Sprintf("id: %s\nevent: job\ndata: {\"rev\":%d,\"status\":%q,\"terminal\":%t}\n\n", id, rev, status, terminal)
}

func TestFollowGoesOnWhereItWas(t *testing.T) {
	f, lastIDs, shown := connections(
		t,
		jobFrame("e-1", 5, "processing", false)+"event: unheard-of\ndata: x\n\nevent: end\ndata: {}\n\n",
		"silence",
		jobFrame("e-2", 4, "queued", false)+jobFrame("e-3", 6, "completed", true)+jobFrame("e-4", 7, "queued", false),
	)
	last, err := f.follow(t.Context())
	if err != nil || last.Status != job.Completed {
		t.Fatalf("%+v, %v", last, err)
	}
	if got := strings.Join(*shown, ", "); got != "5 processing, 6 completed" {
		t.Errorf("shown: %s", got)
	}
	if got := strings.Join(*lastIDs, ","); got != ",e-1,e-1" {
		t.Errorf("last ids: %s", got)
	}
}

func TestFollowEndsWhenItMust(t *testing.T) {
	for name, c := range map[string]struct {
		scripts []string
		want    string
	}{
		"no such job":         {[]string{"404"}, "Problem 404"},
		"refused at first":    {[]string{"503"}, "Problem 503"},
		"deleted meanwhile":   {[]string{"event: removed\ndata: {}\n\n"}, "The job was deleted"},
		"gone when back":      {[]string{jobFrame("e-1", 5, "queued", false) + "event: end\ndata: {}\n\n", "404"}, "Problem 404"},
		"not a job":           {[]string{"event: job\ndata: {\n\n", "404"}, "Problem 404"},
		"the end seen before": {[]string{jobFrame("e-1", 5, "failed", false) + "event: end\ndata: {}\n\n", "204"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, _, _ := connections(t, c.scripts...)
			_, err := f.follow(t.Context())
			if (err == nil) != (c.want == "") || err != nil && err.Error() != c.want {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	f, _, _ := connections(t, "silence")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := f.follow(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("interrupted: %v", err)
	}
}
