package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

type nodesCmd struct {
	Ls     nodesLsCmd     `cmd:"" help:"List nodes: which live, how busy they are, and when they were last heard of."`
	Drain  nodesDrainCmd  `cmd:"" help:"Have a node take no new work, finish or hand back what runs, and end."`
	Actors nodesActorsCmd `cmd:"" help:"Show what lives on a node now."`
}

// node is a node as another describes it.
type node struct {
	Name        string    `json:"name"`
	Self        bool      `json:"self"`
	Incarnation int64     `json:"incarnation"`
	Address     string    `json:"address"`
	State       string    `json:"state"`
	StartedAt   time.Time `json:"started_at"`
	LastSeen    time.Time `json:"last_seen"`
	Version     string    `json:"version"`
	Draining    bool      `json:"draining"`
	Queues      []struct {
		Name    string `json:"name"`
		Running int    `json:"running"`
		Limit   int    `json:"limit"`
	} `json:"queues"`
}

type nodesLsCmd struct {
	client
	JSON bool `help:"Print JSON: {nodes}." name:"json"`
}

// Run lists nodes.
func (c *nodesLsCmd) Run(ctx context.Context, o output) error {
	var all struct {
		Nodes []node `json:"nodes"`
	}
	said, err := c.do(ctx, call{method: http.MethodGet, path: "/v1/nodes"}, &all)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	return printNodes(o.out, all.Nodes, time.Now())
}

func printNodes(w io.Writer, nodes []node, now time.Time) error {
	t := newTable(w, "NODE", "INC", "STATE", "VERSION", "UP", "RUNNING", "ADDRESS", "SEEN")
	for i := range nodes {
		n := &nodes[i]
		name, incarnation := n.Name, ""
		if n.Self {
			name += " *"
		}
		if n.Incarnation > 0 {
			incarnation = strconv.FormatInt(n.Incarnation, 10)
		}
		t.row(name, incarnation, n.state(), n.Version, age(n.StartedAt, now), n.running(), n.Address, age(n.LastSeen, now))
	}
	return t.flush()
}

func (n *node) state() string {
	switch {
	case n.State != "":
		return n.State
	case n.Draining:
		return "draining"
	}
	return "alive"
}

// running is how busy the node is with each of its queues.
func (n *node) running() string {
	parts := make([]string, len(n.Queues))
	for i, q := range n.Queues {
		parts[i] = fmt.Sprintf("%s %d/%d", q.Name, q.Running, q.Limit)
	}
	return strings.Join(parts, ", ")
}

type nodesDrainCmd struct {
	client
	Name string `arg:"" help:"Node, as 'nodes ls' prints it."`
	JSON bool   `help:"Print JSON: {node, told}." name:"json"`
}

// Run asks a node to drain, and does not wait for its end.
func (c *nodesDrainCmd) Run(ctx context.Context, o output) error {
	var told struct {
		Node string `json:"node"`
		Told string `json:"told"`
	}
	said, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/nodes/" + url.PathEscape(c.Name) + "/drain"}, &told)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	how := "was told"
	if told.Told == "left" {
		how = "reads it with its next beat"
	}
	_, err = fmt.Fprintf(o.out, "%s  %s\n", printable(told.Node), how)
	return err
}

type nodesActorsCmd struct {
	client
	Name string `arg:"" help:"Node, as 'nodes ls' prints it."`
	Job  string `help:"Only this job's actor among the jobs." placeholder:"ID"`
	JSON bool   `help:"Print JSON: {node, at, root}." name:"json"`
}

// actorNode is an actor as its node describes it.
type actorNode struct {
	Name      string      `json:"name"`
	Kind      string      `json:"kind"`
	State     string      `json:"state"`
	Mailbox   *int        `json:"mailbox"`
	Restarts  int64       `json:"restarts"`
	Processed *int64      `json:"processed"`
	JobKind   string      `json:"job_kind"`
	Since     time.Time   `json:"since"`
	Children  []actorNode `json:"children"`
	More      int         `json:"more"`
}

// Run shows the actors as a tree.
func (c *nodesActorsCmd) Run(ctx context.Context, o output) error {
	query := url.Values{"node": {c.Name}}
	if c.Job != "" {
		id, err := job.ParseID(c.Job)
		if err != nil {
			return err
		}
		query.Set("job", id.String())
	}
	var tree struct {
		Root actorNode `json:"root"`
	}
	said, err := c.do(ctx, call{method: http.MethodGet, path: "/v1/actors", query: query}, &tree)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(o.out, said.body)
	}
	t := newTable(o.out, "ACTOR", "STATE", "MAILBOX", "RESTARTS", "PROCESSED", "UP", "KIND")
	tree.Root.rows(t, time.Now(), 0)
	return t.flush()
}

// rows are an actor and those that it supervises.
func (n *actorNode) rows(t table, now time.Time, depth int) {
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	mailbox := ""
	if n.Mailbox != nil {
		mailbox = strconv.Itoa(*n.Mailbox)
	}
	indent := strings.Repeat("· ", depth)
	t.row(indent+n.Name, n.State, mailbox, strconv.FormatInt(n.Restarts, 10), number(n.Processed), age(n.Since, now), n.JobKind)
	for i := range n.Children {
		n.Children[i].rows(t, now, depth+1)
	}
	if n.More > 0 {
		t.row(indent+fmt.Sprintf("· and %d more", n.More), "", "", "", "", "", "")
	}
}
