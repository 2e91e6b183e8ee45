package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

type queuesCmd struct {
	Ls     queuesLsCmd     `cmd:"" help:"List queues: what waits, what runs, and how many may."`
	Pause  queuesPauseCmd  `cmd:"" help:"Let no new job of a queue start, on any node; running ones go on."`
	Resume queuesResumeCmd `cmd:"" help:"Undo a pause."`
	Set    queuesSetCmd    `cmd:"" help:"Set how many jobs of a queue run at once, on each node and on all together."`
}

// queue is a queue as a node describes it.
type queue struct {
	Name       string `json:"name"`
	Paused     bool   `json:"paused"`
	Reason     string `json:"reason"`
	Limit      int    `json:"limit"`
	Everywhere int    `json:"cluster_concurrency"`
	Durability string `json:"durability"`
	Depth      struct {
		Waiting    int64     `json:"waiting"`
		Processing int64     `json:"processing"`
		Delayed    int64     `json:"delayed"`
		Dead       int64     `json:"dead"`
		Oldest     time.Time `json:"oldest"`
	} `json:"depth"`
}

type queuesLsCmd struct {
	client
	JSON bool `help:"Print JSON: {queues}." name:"json"`
}

// Run lists queues.
func (c *queuesLsCmd) Run(ctx context.Context, o output) error {
	var all struct {
		Queues []queue `json:"queues"`
	}
	said, err := c.do(ctx, call{method: http.MethodGet, path: "/v1/queues"}, &all)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	return printQueues(o.out, all.Queues, time.Now())
}

func printQueues(w io.Writer, queues []queue, now time.Time) error {
	t := newTable(w, "QUEUE", "STATE", "LIMIT", "WAITING", "OLDEST", "RUNNING", "DELAYED", "DEAD", "DURABILITY")
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, q := range queues {
		state := "active"
		if q.Paused {
			state = "paused"
			if q.Reason != "" {
				state += ": " + short(q.Reason, 40)
			}
		}
		limit := strconv.Itoa(q.Limit)
		if q.Everywhere > 0 {
			limit += ", " + strconv.Itoa(q.Everywhere) + " in all"
		}
		t.row(q.Name, state, limit, count(q.Depth.Waiting), age(q.Depth.Oldest, now), count(q.Depth.Processing),
			count(q.Depth.Delayed), count(q.Depth.Dead), q.Durability)
	}
	return t.flush()
}

// oneQueue is a queue to change.
type oneQueue struct {
	client
	Queue string `arg:"" help:"Queue."`
	JSON  bool   `help:"Print the queue as JSON." name:"json"`
}

func (c *oneQueue) change(ctx context.Context, o output, method, suffix string, body any) error {
	var now queue
	said, err := c.do(ctx, call{method: method, path: "/v1/queues/" + url.PathEscape(c.Queue) + suffix, body: body}, &now)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	return printQueues(o.out, []queue{now}, time.Now())
}

type queuesPauseCmd struct {
	oneQueue
	Reason string `help:"Why, for whoever wonders." placeholder:"TEXT"`
}

// Run pauses the queue.
func (c *queuesPauseCmd) Run(ctx context.Context, o output) error {
	return c.change(ctx, o, http.MethodPost, "/pause", map[string]string{"reason": c.Reason})
}

type queuesResumeCmd struct{ oneQueue }

// Run resumes the queue.
func (c *queuesResumeCmd) Run(ctx context.Context, o output) error {
	return c.change(ctx, o, http.MethodPost, "/resume", nil)
}

type queuesSetCmd struct {
	oneQueue
	Concurrency *int `help:"Handlers at once on each node; 0 gives each node its own setting back." placeholder:"N"`
	Everywhere  *int `help:"Handlers at once over all nodes together; 0 is no bound." name:"cluster-concurrency" placeholder:"N"`
}

// Run sets what is given.
func (c *queuesSetCmd) Run(ctx context.Context, o output) error {
	body := map[string]int{}
	if c.Concurrency != nil {
		body["concurrency"] = *c.Concurrency
	}
	if c.Everywhere != nil {
		body["cluster_concurrency"] = *c.Everywhere
	}
	if len(body) == 0 {
		return errors.New("give --concurrency, --cluster-concurrency, or both")
	}
	return c.change(ctx, o, http.MethodPatch, "", body)
}
