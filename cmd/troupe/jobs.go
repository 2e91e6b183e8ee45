package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type jobsCmd struct {
	Ls     jobsLsCmd     `cmd:"" help:"List jobs, newest first."`
	Show   jobsShowCmd   `cmd:"" help:"Show one job whole, with its history."`
	Watch  jobsWatchCmd  `cmd:"" help:"Follow one job to its end, a line for each change."`
	Logs   jobsLogsCmd   `cmd:"" help:"Print what one job's handler said, or follow it."`
	Output jobsOutputCmd `cmd:"" help:"Print one job's output, or follow it."`
	Cancel jobsCancelCmd `cmd:"" help:"Stop jobs: waiting ones at once, running ones by asking their handlers."`
	Retry  jobsRetryCmd  `cmd:"" help:"Run waiting jobs now; give failed and cancelled ones a new life."`
}

// wanted reads ids from the command line.
func wanted(texts []string) ([]job.ID, error) {
	ids := make([]job.ID, len(texts))
	for i, text := range texts {
		id, err := job.ParseID(text)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

type jobsCancelCmd struct {
	client
	IDs    []string `arg:"" name:"id" help:"Jobs."`
	Reason string   `help:"Why, as everybody is shown who looks at the job; at most 500 bytes." placeholder:"TEXT"`
	Wait   string   `help:"Wait for each to end, for so long at most (5s; up to 20s)." placeholder:"TIME"`
	JSON   bool     `help:"Print each job as a line of JSON." name:"json"`
}

// Run cancels one after the other, and stops at the first that can't be.
func (c *jobsCancelCmd) Run(ctx context.Context, o output) error {
	one := call{path: "cancel"}
	if c.Reason != "" {
		one.body = map[string]string{"reason": c.Reason}
	}
	if c.Wait != "" {
		one.query = url.Values{"wait": {c.Wait}}
	}
	return c.act(ctx, o, c.IDs, one, c.JSON)
}

// cancelWords are what became of a request to cancel, in words; empty if nobody asked.
func cancelWords(c *job.ViewCancel) string {
	if c == nil {
		return ""
	}
	words := map[job.CancelState]string{
		job.CancelRequest: "requested", job.CancelConfirmed: "confirmed", job.CancelTooLate: "too late",
	}[c.State]
	if words == "" {
		words = string(c.State)
	}
	if note := c.Note(); note != "" {
		words += " (" + note + ")"
	}
	return words
}

type jobsRetryCmd struct {
	client
	IDs  []string `arg:"" name:"id" help:"Jobs."`
	JSON bool     `help:"Print each job as a line of JSON." name:"json"`
}

// Run retries one after the other, and stops at the first that can't be.
func (c *jobsRetryCmd) Run(ctx context.Context, o output) error {
	return c.act(ctx, o, c.IDs, call{path: "retry"}, c.JSON)
}

// act makes one call for each job, to the path below the job's.
func (c *client) act(ctx context.Context, o output, texts []string, one call, asJSON bool) error {
	ids, err := wanted(texts)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var now job.View
		said, err := c.do(ctx, call{method: http.MethodPost, path: jobPath(id) + "/" + one.path, query: one.query, body: one.body}, &now)
		if err != nil {
			return fmt.Errorf("job %s: %w", id, err)
		}
		if asJSON {
			err = printJSON(o.out, said.body)
		} else {
			line := fmt.Sprintf("%s  %-10s  %s", id, now.Status, short(cancelWords(now.Cancel), 300))
			_, err = fmt.Fprintln(o.out, strings.TrimSpace(line))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func jobPath(id job.ID) string { return "/v1/jobs/" + id.String() }

// printJSON prints a node's answer as one line.
func printJSON(w io.Writer, value any) error {
	return json.NewEncoder(w).Encode(value)
}
