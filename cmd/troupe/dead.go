package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type deadCmd struct {
	Ls      deadLsCmd      `cmd:"" help:"List dead letters, newest first."`
	Redrive deadRedriveCmd `cmd:"" help:"Give dead letters a new life."`
	Purge   deadPurgeCmd   `cmd:"" help:"Remove dead letters, with their history and artifacts."`
}

type deadLsCmd struct {
	client
	filter
	paging
}

// Run lists dead letters.
func (c *deadLsCmd) Run(ctx context.Context, o output) error {
	params, err := c.params(time.Now())
	if err != nil {
		return err
	}
	return c.pages(ctx, o, "/v1/dead", params, c.paging, func(w io.Writer, jobs []job.View) error {
		now := time.Now()
		t := newTable(w, "ID", "KIND", "QUEUE", "TRIES", "CRASHES", "FAILED", "FINGERPRINT", "ERROR")
		for i := range jobs {
			j, failure := &jobs[i], job.ViewError{}
			if j.Error != nil {
				failure = *j.Error
			}
			t.row(j.ID.String(), j.Kind, j.Queue, tries(j.Attempt, j.MaxAttempts), fmt.Sprint(j.Crashes), age(j.CompletedAt, now),
				failure.Fingerprint, short(failed(&failure), 60))
		}
		return t.flush()
	})
}

// bulk says whom an action concerns: ids, a filter, or everybody.
type bulk struct {
	client
	filter
	IDs    []string `arg:"" name:"id" optional:"" help:"Dead letters; or select them by a filter."`
	All    bool     `help:"All dead letters." group:"filter"`
	DryRun bool     `help:"Only say what would be done."`
	JSON   bool     `help:"Print the answer as JSON; with ids a line for each." name:"json"`
}

// body is the selection as a request, when it is not by ids.
func (b *bulk) body() (map[string]any, error) {
	params, err := b.params(time.Now())
	if err != nil {
		return nil, err
	}
	body := map[string]any{"dry_run": b.DryRun}
	for name := range params {
		body[name] = params.Get(name)
	}
	switch selected := len(params) > 0; {
	case len(b.IDs) > 0 && (selected || b.All):
		return nil, errors.New("give ids, or a filter, or --all: one of them")
	case b.All && selected:
		return nil, errors.New("--all: not together with a filter")
	case len(b.IDs) == 0 && !b.All && !selected:
		return nil, errors.New("give ids, a filter, or --all")
	case b.All:
		body["all"] = true
	}
	return body, nil
}

// each does one thing to every id that is a dead letter, and stops at the first that is not.
func (b *bulk) each(ctx context.Context, o output, done string, do func(id job.ID) error) error {
	ids, err := wanted(b.IDs)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var j job.View
		said, err := b.do(ctx, call{method: http.MethodGet, path: jobPath(id)}, &j)
		switch {
		case err != nil:
			return fmt.Errorf("job %s: %w", id, err)
		case j.Status != job.Failed:
			return fmt.Errorf("job %s: it is %s, not a dead letter", id, j.Status)
		case !b.DryRun:
			if err := do(id); err != nil {
				return fmt.Errorf("job %s: %w", id, err)
			}
		}
		if b.JSON {
			err = printJSON(o.out, said.body)
		} else {
			_, err = fmt.Fprintf(o.out, "%s  %s\n", id, b.verb(done))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bulk) verb(done string) string {
	if b.DryRun {
		return "would be " + done
	}
	return done
}
