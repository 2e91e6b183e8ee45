package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// filter selects jobs, as the parameters of GET /v1/jobs do.
type filter struct {
	Q           string `help:"A search: status:failed kind:NAME age:<2d error:TEXT payload.PATH:VALUE words." name:"q" placeholder:"SEARCH" group:"filter"`
	Kind        string `help:"Of this kind." placeholder:"NAME" group:"filter"`
	Queue       string `help:"On this queue." placeholder:"NAME" group:"filter"`
	Owner       string `help:"Of this owner." placeholder:"NAME" group:"filter"`
	Tag         string `help:"With this tag." placeholder:"NAME" group:"filter"`
	Group       string `help:"Of this group." placeholder:"NAME" group:"filter"`
	Batch       string `help:"Of this batch." placeholder:"NAME" group:"filter"`
	Fingerprint string `help:"Failed like this: a fingerprint, as 'jobs show' prints it." placeholder:"HEX" group:"filter"`
	Text        string `help:"With this text in them." placeholder:"TEXT" group:"filter"`
	From        string `help:"Submitted since: a time (RFC 3339), or how long ago (90m)." placeholder:"TIME" group:"filter"`
	To          string `help:"Submitted before: the same." placeholder:"TIME" group:"filter"`
}

// params are the filter as a query.
func (f filter) params(now time.Time) (url.Values, error) {
	params := url.Values{}
	for name, value := range map[string]string{
		"q": f.Q, "kind": f.Kind, "queue": f.Queue, "owner": f.Owner, "tag": f.Tag, "group": f.Group, "batch": f.Batch,
		"fingerprint": f.Fingerprint, "text": f.Text,
	} {
		if value != "" {
			params.Set(name, value)
		}
	}
	for name, value := range map[string]string{"from": f.From, "to": f.To} {
		if value == "" {
			continue
		}
		if ago, err := time.ParseDuration(value); err == nil {
			value = now.Add(-ago).UTC().Format(time.RFC3339Nano)
		} else if _, err := time.Parse(time.RFC3339, value); err != nil {
			return nil, fmt.Errorf("--%s %.40q: want a time such as 2026-01-02T15:04:05Z, or how long ago, such as 90m", name, value)
		}
		params.Set(name, value)
	}
	return params, nil
}

// paging goes through a list that has no end.
type paging struct {
	Limit  int    `help:"Jobs on a page, 1 to 500." default:"50" group:"filter"`
	Cursor string `help:"Go on after a page: what it printed last." placeholder:"ID" group:"filter"`
	All    bool   `help:"All pages." group:"filter"`
	JSON   bool   `help:"Print each page as a line of JSON: {jobs, next, scan}." name:"json"`
}

type jobsLsCmd struct {
	client
	filter
	paging
	Status []string `help:"In one of these statuses." placeholder:"STATUS" group:"filter"`
}

// Run lists jobs.
func (c *jobsLsCmd) Run(ctx context.Context, o output) error {
	params, err := c.params(time.Now())
	if err != nil {
		return err
	}
	if len(c.Status) > 0 {
		params["status"] = c.Status
	}
	return c.pages(ctx, o, "/v1/jobs", params, c.paging, func(w io.Writer, jobs []job.View) error {
		now := time.Now()
		t := newTable(w, "ID", "STATUS", "KIND", "QUEUE", "TRY", "DONE", "AGE", "NOTE")
		for i := range jobs {
			j := &jobs[i]
			t.row(j.ID.String(), j.Status.String(), j.Kind, j.Queue, tries(j.Attempt, j.MaxAttempts), percent(j.Progress), age(j.CreatedAt, now), note(j, now))
		}
		return t.flush()
	})
}

// pages reads one page of a list, or all, and prints each with show.
func (c *client) pages(ctx context.Context, o output, path string, params url.Values, p paging, show func(io.Writer, []job.View) error) error {
	params.Set("limit", strconv.Itoa(p.Limit))
	for next := p.Cursor; ; {
		if next != "" {
			params.Set("cursor", next)
		}
		var page struct {
			Jobs []job.View `json:"jobs"`
			Next string     `json:"next"`
			Scan struct {
				Complete bool      `json:"complete"`
				BackTo   time.Time `json:"back_to"`
			} `json:"scan"`
		}
		said, err := c.do(ctx, call{method: http.MethodGet, path: path, query: params}, &page)
		if err != nil {
			return err
		}
		if p.JSON {
			err = printJSON(o.out, said.body)
		} else {
			err = show(o.out, page.Jobs)
		}
		switch {
		case err != nil:
			return err
		case page.Next == "":
			return nil
		case !p.All:
			if !p.JSON && !page.Scan.Complete && !page.Scan.BackTo.IsZero() {
				fmt.Fprintf(o.err, "looked back to %s\n", page.Scan.BackTo.Format(time.RFC3339))
			}
			if !p.JSON {
				fmt.Fprintf(o.err, "there are more: add --cursor %s, or --all\n", page.Next)
			}
			return nil
		}
		next = page.Next
	}
}

func tries(attempt, most int) string { return strconv.Itoa(attempt) + "/" + strconv.Itoa(most) }

func percent(p float64) string { return strconv.FormatFloat(p, 'f', 0, 64) + "%" }

// note is the one thing about a job that a person wants to know beside its status.
func note(j *job.View, now time.Time) string {
	const most = 60
	switch {
	case j.Status == job.Scheduled:
		return "due " + age(j.RunAt, now)
	case j.Status == job.Retrying && j.Error != nil:
		return short("again "+age(j.RunAt, now)+": "+failed(j.Error), most)
	case j.Status == job.Failed && j.Error != nil:
		return short(failed(j.Error), most)
	case j.Status.Running():
		return short(j.Message, most)
	}
	return ""
}
