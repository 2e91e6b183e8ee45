package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/meta-ad-studio/troupe/actors"
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
	var done actors.Redrive
	said, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/dead/redrive", body: body}, &done)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	count := done.Redriven
	if c.DryRun {
		count = done.Matched
	}
	return c.sum(o, count, done.Matched, "redriven")
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
	var done struct {
		Matched int `json:"matched"`
	}
	said, err := c.do(ctx, call{method: http.MethodDelete, path: "/v1/dead", body: body}, &done)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	return c.sum(o, done.Matched, done.Matched, "purged")
}

// sum says how many it were, and whether there may be more.
func (b *bulk) sum(o output, count, matched int, done string) error {
	_, err := fmt.Fprintf(o.out, "%d %s\n", count, b.verb(done))
	if matched >= actors.MaxBulk && !b.DryRun {
		fmt.Fprintln(o.err, "that is the most for one call: call again for the rest")
	}
	return err
}
