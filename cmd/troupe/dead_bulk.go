package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type deadRedriveCmd struct{ bulk }

// Help says more than the flags do.
func (c *deadRedriveCmd) Help() string {
	return `A redriven job keeps its id, payload, checkpoint and history, and begins its next life with fresh counters.

  troupe dead redrive 01a2089b-065d-791a-a074-834b77ce213c
  troupe dead redrive --fingerprint 8f14e45fceea167a --dry-run
  troupe dead redrive --kind video.generate --from 6h`
}

// Run redrives.
func (c *deadRedriveCmd) Run(ctx context.Context, o output) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(c.IDs) > 0 {
		return c.each(ctx, o, "redriven", func(id job.ID) error {
			_, err := c.do(ctx, call{method: http.MethodPost, path: jobPath(id) + "/retry"}, nil)
			return err
		})
	}
	var done bulkAnswer
	said, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/dead/redrive", body: body}, &done)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	return c.sum(o, done, done.Redriven, "redriven")
}

type deadPurgeCmd struct {
	bulk
	Yes bool `help:"Needed: what is purged does not come back."`
}

// Run purges.
func (c *deadPurgeCmd) Run(ctx context.Context, o output) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if !c.Yes && !c.DryRun {
		return errors.New("what is purged does not come back: add --yes, or look first with --dry-run")
	}
	if len(c.IDs) > 0 {
		return c.each(ctx, o, "purged", func(id job.ID) error {
			_, err := c.do(ctx, call{method: http.MethodDelete, path: jobPath(id)}, nil)
			return err
		})
	}
	var done bulkAnswer
	said, err := c.do(ctx, call{method: http.MethodDelete, path: "/v1/dead", body: body}, &done)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	return c.sum(o, done, done.Deleted, "purged")
}

// bulkAnswer is what the server did, or would do.
type bulkAnswer struct {
	Matched  int  `json:"matched"`
	Capped   bool `json:"capped"`
	Redriven int  `json:"redriven"`
	Deleted  int  `json:"deleted"`
	More     bool `json:"more"`
}

// sum says how many it were, and whether there may be more.
func (b *bulk) sum(o output, answer bulkAnswer, count int, done string) error {
	atLeast := ""
	if b.DryRun {
		count = answer.Matched
	}
	if answer.Capped {
		atLeast = "at least "
	}
	_, err := fmt.Fprintf(o.out, "%s%d %s\n", atLeast, count, b.verb(done))
	if answer.More {
		fmt.Fprintln(o.err, "that is the most for one call: call again for the rest")
	}
	return err
}
