package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

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
	Reason string   `help:"Why, for the history." placeholder:"TEXT"`
	JSON   bool     `help:"Print each job as a line of JSON." name:"json"`
}

// Run cancels one after the other, and stops at the first that can't be.
func (c *jobsCancelCmd) Run(ctx context.Context, o output) error {
	var body any
	if c.Reason != "" {
		body = map[string]string{"reason": c.Reason}
	}
	return c.act(ctx, o, c.IDs, "cancel", body, c.JSON)
}

type jobsRetryCmd struct {
	client
	IDs  []string `arg:"" name:"id" help:"Jobs."`
	JSON bool     `help:"Print each job as a line of JSON." name:"json"`
}

// Run retries one after the other, and stops at the first that can't be.
func (c *jobsRetryCmd) Run(ctx context.Context, o output) error {
	return c.act(ctx, o, c.IDs, "retry", nil, c.JSON)
}

func (c *client) act(ctx context.Context, o output, texts []string, action string, body any, asJSON bool) error {
	ids, err := wanted(texts)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var now job.View
		said, err := c.do(ctx, call{method: http.MethodPost, path: jobPath(id) + "/" + action, body: body}, &now)
		if err != nil {
			return fmt.Errorf("job %s: %w", id, err)
		}
		if asJSON {
			err = printJSON(o.out, said.body)
		} else {
			_, err = fmt.Fprintf(o.out, "%s  %s\n", id, now.Status)
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
