package actors

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// ActorTree is what lives on a node, at one moment.
type ActorTree struct {
	Node string    `json:"node"`
	At   time.Time `json:"at"`
	Root ActorNode `json:"root"`
}

// ActorNode is one actor with those it supervises.
type ActorNode struct {
	Name string `json:"name"`
	// Kind is node (the root), supervisor, intake, journal, settler, broadcaster, timekeeper, job or attempt.
	Kind string `json:"kind"`
	// State is a word. Top-level actors: starting, idle, busy, stalled, paused (an intake's queue). Jobs: running, cancelling, lost,
	// settling, silent (no answer in time). Attempts: running, ending, overdue (ignores the end of its context).
	State     string   `json:"state"`
	Mailbox   *int     `json:"mailbox"` // messages that wait; null for jobs and attempts, whose mailboxes are not counted
	Restarts  int64    `json:"restarts"`
	Processed *int64   `json:"processed"`       // messages, as of the last second
	LastMS    *int64   `json:"last_message_ms"` // since it last did something, to the second; of a job: since it last changed
	Job       *job.ID  `json:"job"`
	JobKind   string   `json:"job_kind,omitempty"`
	Queue     string   `json:"queue,omitempty"`
	Attempt   int      `json:"attempt,omitempty"`
	Percent   *float64 `json:"percent,omitempty"`
	// Since is when it began: an actor its life, an attempt its run.
	Since    *time.Time  `json:"since,omitempty"`
	Children []ActorNode `json:"children"`
	More     int         `json:"more"` // children that are left out
}

const (
	// MaxActorChildren bounds the children of one actor in a tree: the oldest jobs are shown, which are those that may be stuck.
	MaxActorChildren = 200

	censusTimeout = 500 * time.Millisecond // for job actors to answer
	censusFresh   = 300 * time.Millisecond // an answer may be given again that long
	maxCensus     = 20_000                 // job actors among which the oldest are looked for
)

// census asks the supervisor which job actors live. It has each of the oldest tell of itself, and answers with whom it asked.
type census struct {
	only    job.ID // zero: any
	asked   chan counted
	answers chan ActorNode // as large as the census may be
}

// counted is the supervisor's answer.
type counted struct {
	ids  []job.ID
	more int
}

// question is what the supervisor answers about itself, in its own turn.
type question interface {
	take(c actor.Context, s *supervisor)
}

// take implements question.
func (m *census) take(c actor.Context, s *supervisor) {
	ids := make([]job.ID, 0, min(len(s.children), maxCensus))
	if m.only.IsZero() {
		for id := range s.children {
			if len(ids) == maxCensus {
				break
			}
			ids = append(ids, id)
		}
		slices.SortFunc(ids, job.ID.Compare) // ids begin with the time
	} else if _, ok := s.children[m.only]; ok {
		ids = append(ids, m.only)
	}
	ids = slices.Clip(ids[:min(len(ids), MaxActorChildren)])
	for _, id := range ids {
		c.Send(s.children[id].pid, &describe{m.answers})
	}
	m.asked <- counted{ids, len(s.children) - len(ids)}
}

// living asks the supervisor which of some jobs still have an actor.
type living struct {
	ids    []job.ID
	answer chan map[job.ID]bool
}

// take implements question.
func (m *living) take(_ actor.Context, s *supervisor) {
	alive := make(map[job.ID]bool, len(m.ids))
	for _, id := range m.ids {
		_, alive[id] = s.children[id]
	}
	m.answer <- alive
}

// describe has a job actor tell of itself.
type describe struct{ to chan<- ActorNode }

// answer runs in the job actor's turn. There is room for it.
func (m *describe) answer(a *jobActor) {
	now := time.Now()
	id, idle := a.job.ID, now.Sub(a.job.Updated).Milliseconds()
	percent := a.job.Progress.Percent
	node := ActorNode{
		Name: id.String(), Kind: "job", State: "running", Restarts: int64(a.crashes), Job: &id, JobKind: a.job.Kind, Queue: a.job.Queue,
		Attempt: a.job.Attempt, Percent: &percent, LastMS: &idle, Since: &a.job.Started, Children: []ActorNode{},
	}
	switch {
	case a.leaving:
		node.State = "settling"
	case a.lost:
		node.State = "lost"
	case a.cause != nil:
		node.State = "cancelling"
	}
	if a.attempt != nil && !a.returned {
		run := ActorNode{Name: "attempt", Kind: "attempt", State: "running", Since: &a.job.Started, Children: []ActorNode{}}
		switch {
		case a.overdue:
			run.State = "overdue"
		case a.cause != nil:
			run.State = "ending"
		}
		node.Children = append(node.Children, run)
	}
	m.to <- node
}

// Actors is what lives on this node. It asks the actors; one that does not answer is shown as such. With an id only that job's actor is
// among the jobs. It costs the node nothing but when it is called, and calls in quick succession share an answer.
func (a *App) Actors(ctx context.Context, only job.ID) (ActorTree, error) {
	if state := a.state.Load(); state != appOpen && state != appDraining {
		return ActorTree{}, ErrClosed
	}
	a.census.Lock()
	defer a.census.Unlock()
	if only.IsZero() && time.Since(a.censusTaken.At) < censusFresh {
		return a.censusTaken, nil
	}
	tree := ActorTree{Node: a.config.Node, At: time.Now(), Root: a.actorsNow(ctx, only)}
	if err := ctx.Err(); err != nil {
		return ActorTree{}, fmt.Errorf("ask the actors: %w", err)
	}
	if only.IsZero() {
		a.censusTaken = tree
	}
	return tree, nil
}

func (a *App) actorsNow(ctx context.Context, only job.ID) ActorNode {
	root := ActorNode{Name: a.config.Node, Kind: "node", State: "running", Since: &a.started, Children: []ActorNode{}}
	if a.state.Load() == appDraining {
		root.State = "draining"
	}
	now := time.Now()
	for _, p := range a.pulses {
		node := p.node(now)
		switch p.kind {
		case "supervisor":
			node.Children, node.More = a.jobsNow(ctx, only)
		case "intake":
			node.Queue = p.name[len("intake-"):]
			if a.settings.get(node.Queue).Paused && node.State != "stalled" {
				node.State = "paused"
			}
		}
		root.Children = append(root.Children, node)
	}
	return root
}

func (p *pulse) node(now time.Time) ActorNode {
	waiting, processed := p.box.UserMessageCount(), p.processed.Load()
	node := ActorNode{
		Name: p.name, Kind: p.kind, State: p.state(now), Mailbox: &waiting, Restarts: p.restarts.Load(), Processed: &processed,
		Since: &p.born, Children: []ActorNode{},
	}
	if active := p.active.Load(); active != 0 {
		idle := max(now.Sub(time.Unix(0, active)).Milliseconds(), 0)
		node.LastMS = &idle
	}
	return node
}

// jobsNow asks the supervisor, and the job actors through it.
func (a *App) jobsNow(ctx context.Context, only job.ID) ([]ActorNode, int) {
	limit := time.NewTimer(censusTimeout)
	defer limit.Stop()
	m := &census{only: only, asked: make(chan counted, 1), answers: make(chan ActorNode, MaxActorChildren)}
	a.system.Root.Send(a.supervisor.pid, m)
	var asked counted
	select {
	case asked = <-m.asked:
	case <-limit.C:
		return []ActorNode{}, int(gaugeValue(a.metrics.actors))
	case <-ctx.Done():
		return []ActorNode{}, 0
	}
	heard := make(map[job.ID]ActorNode, len(asked.ids))
	for late := false; len(heard) < len(asked.ids) && !late; {
		select {
		case node := <-m.answers:
			heard[*node.Job] = node
		case <-limit.C:
			late = true
		case <-ctx.Done():
			late = true
		}
	}
	alive := map[job.ID]bool{}
	if len(heard) < len(asked.ids) { // they are busy, or have ended meanwhile
		again := &living{asked.ids, make(chan map[job.ID]bool, 1)}
		a.system.Root.Send(a.supervisor.pid, again)
		select {
		case alive = <-again.answer:
		case <-time.After(censusTimeout):
		case <-ctx.Done():
		}
	}
	nodes := make([]ActorNode, 0, len(asked.ids))
	for _, id := range asked.ids {
		if node, ok := heard[id]; ok {
			nodes = append(nodes, node)
		} else if alive[id] {
			nodes = append(nodes, ActorNode{Name: id.String(), Kind: "job", State: "silent", Job: &id, Children: []ActorNode{}})
		}
	}
	return nodes, asked.more
}
