package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type jobsShowCmd struct {
	client
	ID   string `arg:"" help:"Job."`
	JSON bool   `help:"Print JSON: {job, events}." name:"json"`
}

// Run shows a job and its history.
func (c *jobsShowCmd) Run(ctx context.Context, o output) error {
	id, err := job.ParseID(c.ID)
	if err != nil {
		return err
	}
	var (
		j       job.View
		history struct {
			Events []job.Transition `json:"events"`
		}
	)
	said, err := c.do(ctx, call{method: http.MethodGet, path: jobPath(id)}, &j)
	if err != nil {
		return err
	}
	if _, err := c.do(ctx, call{method: http.MethodGet, path: jobPath(id) + "/events"}, &history); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, map[string]any{"job": said.body, "events": history.Events})
	}
	if err := c.facts(o.out, &j, time.Now()); err != nil {
		return err
	}
	return printHistory(o.out, history.Events)
}

// facts are a job's fields, one a line.
func (c *client) facts(out io.Writer, j *job.View, now time.Time) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say := func(name, value string) {
		if value = printable(value); value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, value)
		}
	}
	ago := func(name string, t time.Time) {
		if text := age(t, now); strings.HasPrefix(text, "in ") {
			say(name, text)
		} else if text != "" {
			say(name, text+" ago ("+t.Local().Format("2006-01-02 15:04:05")+")")
		}
	}
	say("id", j.ID.String())
	say("kind", j.Kind+" on queue "+j.Queue+", priority "+strconv.Itoa(j.Priority))
	say("status", j.Status.String())
	say("attempt", fmt.Sprintf("%d of %d, crashes %d, life %d", j.Attempt, j.MaxAttempts, j.Crashes, j.Run))
	say("progress", percent(j.Progress)+" "+j.Message)
	if j.Cancel != nil {
		say("cancel", cancelWords(j.Cancel))
		ago("asked", j.Cancel.At)
	}
	if j.Error != nil {
		say("error", failed(j.Error))
		say("fingerprint", j.Error.Fingerprint)
	}
	ago("submitted", j.CreatedAt)
	if j.Status.Waiting() {
		ago("due", j.RunAt)
	}
	ago("started", j.StartedAt)
	ago("ended", j.CompletedAt)
	say("node", j.Node)
	say("owner", j.Owner)
	say("tags", strings.Join(j.Tags, ", "))
	say("group", j.Group)
	say("batch", j.Batch)
	for _, a := range j.Artifacts {
		say("artifact", fmt.Sprintf("%s (%s, %s) %s", a.Name, a.Type, bytesOf(a.Bytes), strings.TrimSuffix(c.Server, "/")+a.URL))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		data json.RawMessage
	}{{"payload", j.Payload}, {"checkpoint", j.Checkpoint}, {"result", j.Result}} {
		if err := printValue(out, part.name, part.data); err != nil {
			return err
		}
	}
	return nil
}

// printValue prints JSON with indents, as it came otherwise: an encoder has escaped what could steer a terminal, but for the controls
// that JSON allows unescaped (DEL and those of Latin-1).
func printValue(out io.Writer, name string, data json.RawMessage) error {
	if len(data) == 0 {
		return nil
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, data, "", "  "); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var lines []string
	for line := range strings.SplitSeq(indented.String(), "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		lines = append(lines, line[:indent]+printable(line))
	}
	_, err := fmt.Fprintf(out, "\n%s\n%s\n", name, strings.Join(lines, "\n"))
	return err
}

// printHistory prints a job's transitions, the times from the first on.
func printHistory(out io.Writer, events []job.Transition) error {
	if len(events) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	t := newTable(out, "AFTER", "LIFE", "EVENT", "STATUS", "TRY", "NODE", "NOTE")
	for i := range events {
		e := &events[i]
		said := e.Note
		if e.Failure != nil {
			said = strings.TrimPrefix(said+": ", ": ") + failed(&job.ViewError{Code: e.Failure.Code, Message: e.Failure.Message})
		}
		if !e.RunAt.IsZero() {
			said += " (waits " + span(e.RunAt.Sub(e.At)) + ")"
		}
		t.row(since(events[0].At, e.At), strconv.Itoa(e.Life), e.Event, e.Status.String(), strconv.Itoa(e.Attempt), e.Node, short(said, 100))
	}
	return t.flush()
}
