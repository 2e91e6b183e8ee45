package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type jobsWatchCmd struct {
	client
	ID   string `arg:"" help:"Job."`
	JSON bool   `help:"Print each change as a line of JSON, as streams carry it." name:"json"`
}

// Run follows the job, through broken connections and restarts of the node, until it has ended.
func (c *jobsWatchCmd) Run(ctx context.Context, o output) error {
	id, err := job.ParseID(c.ID)
	if err != nil {
		return err
	}
	_, err = watch(ctx, o, &c.client, id, c.JSON)
	return err
}

// watch prints every change of a job until it has ended, and returns the last.
func watch(ctx context.Context, o output, c *client, id job.ID, asJSON bool) (change, error) {
	before := ""
	f := follower{
		client: c, id: id,
		show: func(now change, raw []byte) {
			if asJSON {
				_ = printJSON(o.out, json.RawMessage(raw)) // who reads no more, is told nothing more
				return
			}
			line := changeLine(now)
			if line == before { // a change of what a line does not show
				return
			}
			before = line
			fmt.Fprintf(o.out, "%s  %s\n", now.At.Updated.Local().Format("15:04:05.000"), line)
		},
		lost: func(err error, wait time.Duration) {
			fmt.Fprintf(o.err, "%s; trying again in %s\n", oneLine(err), span(wait))
		},
	}
	return f.follow(ctx)
}

// changeLine is a change without its time.
func changeLine(c change) string {
	line := fmt.Sprintf("%-10s  %s  %4s", c.Status, tries(c.Attempt.N, c.Attempt.Max), percent(c.Progress.Percent))
	said := ""
	switch {
	case c.Error != nil:
		said = failed(c.Error)
	case c.Status.Running():
		said = c.Progress.Note
	}
	if c.Cancel != nil {
		said = strings.TrimSpace(said + "  cancel " + cancelWords(c.Cancel))
	}
	if c.Waiting != nil && c.Waiting.Until != nil {
		said = strings.TrimSpace("until " + c.Waiting.Until.Local().Format("15:04:05.000") + "  " + said)
	}
	return strings.TrimRight(line+"  "+short(said, 120), " ")
}

// ending is how a job ended, in words.
func ending(c change) string {
	if c.Error != nil {
		return c.Status.String() + ": " + short(failed(c.Error), 300)
	}
	return c.Status.String()
}
