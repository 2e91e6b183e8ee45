//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// storyJob is a job as the HTTP interface shows it.
type storyJob map[string]any

// text is a field, or a field of a field, as text; empty if there is none.
func (j storyJob) text(path string) string {
	var at any = map[string]any(j)
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok || object[name] == nil {
			return ""
		}
		at = object[name]
	}
	return fmt.Sprint(at)
}

func storyHeader(ts *testscript.TestScript) http.Header {
	header := http.Header{}
	if token := ts.Getenv("TROUPE_TOKEN"); token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	return header
}

func readStory(ts *testscript.TestScript, path string, value any) error {
	status, _, answer, err := request(http.MethodGet, ts.Getenv("TROUPE_SERVER")+path, "", storyHeader(ts))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: %d %s", path, status, answer)
	}
	return json.Unmarshal(answer, value)
}

func readStoryJob(ts *testscript.TestScript, id string) (storyJob, error) {
	var j storyJob
	err := readStory(ts, "/v1/jobs/"+id, &j)
	return j, err
}

// waitJob tolerates a node that does not answer, and nothing else: a job that has ended otherwise will never be as wanted.
func (s *story) waitJob(ts *testscript.TestScript, args []string) {
	id, want := args[0], args[1]
	poll(ts, "job "+strings.Join(args, " "), func() bool {
		j, err := readStoryJob(ts, id)
		if err != nil {
			return false
		}
		status := j.text("status")
		if j.text("terminal") == "true" && status != want {
			ts.Fatalf("job %s is %s: %v", id, status, j)
		}
		return status == want && !slices.ContainsFunc(args[2:], func(condition string) bool {
			field, least, _ := strings.Cut(condition, ">=")
			bound, err := strconv.ParseFloat(least, 64)
			ts.Check(err)
			has, err := strconv.ParseFloat(j.text(field), 64)
			return err != nil || has < bound
		})
	})
}

func (s *story) job(ts *testscript.TestScript, args []string) {
	j, err := readStoryJob(ts, args[0])
	ts.Check(err)
	for _, claim := range args[1:] {
		field, want, _ := strings.Cut(claim, "=")
		if got := j.text(field); got != want {
			ts.Fatalf("job %s: %s is %q, want %q\n%v", args[0], field, got, want, j)
		}
	}
}

func storyHistory(ts *testscript.TestScript, id string) []job.Transition {
	var all struct {
		Events []job.Transition `json:"events"`
	}
	ts.Check(readStory(ts, "/v1/jobs/"+id+"/events", &all))
	return all.Events
}

func (s *story) history(ts *testscript.TestScript, args []string) {
	var got []string
	rev := int64(0)
	for _, e := range storyHistory(ts, args[0]) {
		if e.Rev <= rev {
			ts.Fatalf("job %s: rev %d after %d", args[0], e.Rev, rev)
		}
		rev = e.Rev
		if e.Event != "Checkpointed" && e.Event != "ArtifactStored" {
			got = append(got, e.Event+":"+e.Status.String())
		}
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("job %s: its history is\n%s\nwant\n%s", args[0], strings.Join(got, " "), strings.Join(args[1:], " "))
	}
}

// waitsGrow holds every wait to its step: (base·2^(n-2), base·2^(n-1)], the first (0, base].
func (s *story) waitsGrow(ts *testscript.TestScript, args []string) {
	high, err := time.ParseDuration(args[1])
	ts.Check(err)
	low, count := time.Duration(0), 0
	for _, e := range storyHistory(ts, args[0]) {
		if e.Status != job.Retrying {
			continue
		}
		wait := e.RunAt.Sub(e.At)
		if slack := time.Microsecond; wait < low-slack || wait > high+slack || wait <= 0 {
			ts.Fatalf("job %s: wait %d is %s, want %s to %s", args[0], count+1, wait, low, high)
		}
		low, high, count = high, 2*high, count+1
	}
	if count < 2 {
		ts.Fatalf("job %s: %d waits show nothing", args[0], count)
	}
}

func (s *story) waitStreams(ts *testscript.TestScript, args []string) {
	open := regexp.MustCompile(`(?m)^troupe_sse_connections\{.*\} ` + args[0] + `$`)
	poll(ts, args[0]+" open streams", func() bool {
		_, _, answer, err := request(http.MethodGet, ts.Getenv("TROUPE_SERVER")+"/metrics", "", storyHeader(ts))
		return err == nil && open.Match(answer)
	})
}

// fetch prints the status, the headers and the body. Redirects are not followed.
func (s *story) fetch(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("fetch METHOD PATH [BODY] [HEADER:VALUE]...")
	}
	header, body := storyHeader(ts), ""
	header.Set("Content-Type", "application/json")
	for _, arg := range args[2:] {
		name, value, ok := strings.Cut(arg, ":")
		if ok && job.ValidName(name) {
			header.Set(name, strings.TrimSpace(value))
		} else {
			body = arg
		}
	}
	path := args[1]
	if !strings.HasPrefix(path, "http") {
		path = ts.Getenv("TROUPE_SERVER") + path
	}
	status, got, answer, err := request(args[0], path, body, header)
	ts.Check(err)
	fmt.Fprintln(ts.Stdout(), status, http.StatusText(status))
	for name := range got {
		fmt.Fprintf(ts.Stdout(), "%s: %s\n", name, got.Get(name))
	}
	if !utf8.Valid(answer) {
		answer = fmt.Appendf(nil, "(%d bytes, not text)", len(answer))
	}
	fmt.Fprintf(ts.Stdout(), "\n%s\n", answer)
	if neg != (status >= 400) {
		ts.Fatalf("%s %s: %d", args[0], path, status)
	}
}
