package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// said is a line of a job's log, or a chunk of its output.
type said struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Level   string    `json:"level"`
	Attempt int       `json:"attempt"`
	Text    string    `json:"text"`
	Data    string    `json:"data"`
}

// linesCmd is what both commands have in common.
type linesCmd struct {
	client
	ID     string `arg:"" help:"Job."`
	Follow bool   `help:"Go on until the job has ended." short:"f"`
	Tail   int    `help:"Begin with the newest so many, at most 1000." placeholder:"N"`
	JSON   bool   `help:"Print each as a line of JSON." name:"json"`
}

type jobsLogsCmd struct{ linesCmd }

// Run prints a job's log.
func (c *jobsLogsCmd) Run(ctx context.Context, o output) error {
	return c.print(ctx, o, "logs", func(l said) string {
		head := fmt.Sprintf("%s  %-5s  #%d  ", l.At.Local().Format("15:04:05.000"), printable(l.Level), l.Attempt)
		var text strings.Builder
		for part := range strings.Lines(l.Text) { // one line has one, usually
			text.WriteString(head + printable(part) + "\n")
			head = strings.Repeat(" ", len(head))
		}
		if l.Text == "" {
			text.WriteString(strings.TrimRight(head, " ") + "\n")
		}
		return text.String()
	})
}

type jobsOutputCmd struct{ linesCmd }

// Run prints a job's output as it is; into a terminal without what could steer it.
func (c *jobsOutputCmd) Run(ctx context.Context, o output) error {
	show := func(l said) string { return l.Data }
	if isTerminal(o.out) {
		show = func(l said) string { return tame(l.Data) }
	}
	return c.print(ctx, o, "output", show)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// tame replaces control characters, but for line breaks and tabs.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, s)
}

func (c *linesCmd) print(ctx context.Context, o output, channel string, show func(said) string) error {
	id, err := job.ParseID(c.ID)
	if err != nil {
		return err
	}
	p := linePrinter{out: o.out, json: c.JSON, show: show}
	query := url.Values{}
	if c.Tail > 0 {
		query.Set("tail", strconv.Itoa(c.Tail))
	}
	path := jobPath(id) + "/" + channel
	if !c.Follow {
		return p.pages(ctx, &c.client, path, query)
	}
	query.Set("follow", "1")
	f := follower{
		client: &c.client, id: id, path: path, query: query,
		take: p.event,
		lost: func(err error, wait time.Duration) {
			fmt.Fprintf(o.err, "%s; trying again in %s\n", oneLine(err), span(wait))
		},
	}
	p.gap = func(from, to int64) { fmt.Fprintf(o.err, "lines from %d to %d are gone\n", from, to) }
	_, err = f.follow(ctx)
	return err
}

// linePrinter prints each line once.
type linePrinter struct {
	out  io.Writer
	json bool
	show func(said) string
	gap  func(from, to int64)
	last int64 // seq
}

// pages prints what there is.
func (p *linePrinter) pages(ctx context.Context, c *client, path string, query url.Values) error {
	query.Set("limit", "1000")
	for {
		var page struct {
			Lines, Chunks []json.RawMessage
			Next          *int64
		}
		if _, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query}, &page); err != nil {
			return err
		}
		for _, raw := range append(page.Lines, page.Chunks...) {
			if err := p.line(raw); err != nil {
				return err
			}
		}
		if page.Next == nil {
			return nil
		}
		query.Set("after", strconv.FormatInt(*page.Next, 10))
	}
}

func (p *linePrinter) line(raw []byte) error {
	var l said
	if err := json.Unmarshal(raw, &l); err != nil {
		return fmt.Errorf("read a line: %w", err)
	}
	if l.Seq <= p.last {
		return nil
	}
	p.last = l.Seq
	if p.json {
		return printJSON(p.out, json.RawMessage(raw))
	}
	_, err := io.WriteString(p.out, p.show(l))
	return err
}

// event takes an event of a stream, and says whether the job has ended.
func (p *linePrinter) event(name string, data []byte) (ended bool, err error) {
	switch name {
	case "log", "chunk":
		return false, p.line(data)
	case "gap":
		var gap struct{ From, To int64 }
		if err := json.Unmarshal(data, &gap); err != nil {
			return false, fmt.Errorf("read a gap: %w", err)
		}
		p.gap(gap.From, gap.To)
	case "end":
		var end struct{ Reason string }
		if err := json.Unmarshal(data, &end); err != nil {
			return false, fmt.Errorf("read the end of the stream: %w", err)
		}
		if end.Reason == "done" {
			return true, nil
		}
		return false, errOver
	}
	return false, nil
}
