package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// inspectTimeout bounds how long another node may take to tell what lives on it.
const inspectTimeout = 3 * time.Second

// maxAsking bounds the questions to other nodes that are open at once.
const maxAsking = 16

// asking are this node's open questions to others, and whether it is answering one itself.
type asking struct {
	mu   sync.Mutex
	open map[string]chan inspected
	busy atomic.Bool
}

// inspect is the question, inspected the answer: a tree, or a text that says why there is none.
type (
	inspect struct {
		Ask string `json:"ask"`
		Job job.ID `json:"job"`
	}
	inspected struct {
		Ask   string     `json:"ask"`
		Tree  *ActorTree `json:"tree,omitempty"`
		Error string     `json:"error,omitempty"`
	}
)

// ActorsOf is Actors of any node, which is asked through remoting or, where that fails, over the bus. ErrNotFound if nothing was heard of it lately, ErrBusy if it does not answer.
func (a *App) ActorsOf(ctx context.Context, node string, only job.ID) (ActorTree, error) {
	if node == "" || node == a.config.Node {
		return a.Actors(ctx, only)
	}
	if a.peers != nil {
		answer, err := a.askNode(ctx, node, remoteRequest{Op: opInspect, Job: only})
		switch {
		case err == nil && answer.Tree != nil:
			return *answer.Tree, nil
		case errors.Is(err, ErrBusy):
			return ActorTree{}, err
		}
	}
	if !a.knows(node) {
		return ActorTree{}, fmt.Errorf("node %.80q: %w", node, persistence.ErrNotFound)
	}
	question := inspect{Ask: uuid.NewString(), Job: only}
	answer, ok := a.asking.begin(question.Ask)
	if !ok {
		return ActorTree{}, fmt.Errorf("ask node %s: %w: too many questions are open", node, ErrBusy)
	}
	defer a.asking.end(question.Ask)
	a.tell(ctx, persistence.SignalInspect, node, question)
	limit := time.NewTimer(inspectTimeout)
	defer limit.Stop()
	select {
	case got := <-answer:
		if got.Tree == nil {
			return ActorTree{}, fmt.Errorf("ask node %s: %w: %s", node, ErrBusy, got.Error)
		}
		return *got.Tree, nil
	case <-limit.C:
		return ActorTree{}, fmt.Errorf("ask node %s: %w: it does not answer", node, ErrBusy)
	case <-ctx.Done():
		return ActorTree{}, fmt.Errorf("ask node %s: %w", node, context.Cause(ctx))
	}
}

func (q *asking) begin(ask string) (<-chan inspected, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.open) >= maxAsking {
		return nil, false
	}
	if q.open == nil {
		q.open = map[string]chan inspected{}
	}
	answer := make(chan inspected, 1)
	q.open[ask] = answer
	return answer, true
}

func (q *asking) end(ask string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, ask)
}

func (q *asking) answered(data []byte) {
	var got inspected
	if json.Unmarshal(data, &got) != nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if answer, ok := q.open[got.Ask]; ok {
		delete(q.open, got.Ask)
		answer <- got
	}
}

// tellTimeout bounds one word between nodes, so that a bus that is down holds up nothing.
const tellTimeout = time.Second

// tell says something to another node. Nothing depends on its arrival.
func (a *App) tell(ctx context.Context, topic persistence.SignalTopic, to string, what any) {
	data, err := json.Marshal(what)
	if err != nil || len(data) > persistence.MaxSignal {
		a.log.Error("another node can't be told", "topic", topic, "bytes", len(data), "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if err := a.config.Bus.Signal(ctx, persistence.Signal{Topic: topic, By: a.config.Node, To: to, Data: data}); err != nil {
		a.log.Debug("another node was not told", "topic", topic, "error", err)
	}
}

// heardOfInspection takes what other nodes ask, and answer.
func (a *App) heardOfInspection(s *persistence.Signal) {
	switch {
	case s.By == "" || s.By == a.config.Node || s.To != "" && s.To != a.config.Node:
	case s.Topic == persistence.SignalInspect:
		a.answerInspection(s)
	case s.Topic == persistence.SignalInspected:
		a.asking.answered(s.Data)
	}
}

// answerInspection answers another node, one question at a time; while it does, others are told to come again.
func (a *App) answerInspection(s *persistence.Signal) {
	var question inspect
	if json.Unmarshal(s.Data, &question) != nil {
		return
	}
	first := a.asking.busy.CompareAndSwap(false, true)
	a.loops.Go(func() {
		answer := inspected{Ask: question.Ask, Error: "it answers somebody else"}
		if first {
			defer a.asking.busy.Store(false)
			if tree, err := a.Actors(a.background, question.Job); err != nil {
				answer.Error = err.Error()
			} else {
				answer.Tree, answer.Error = &tree, ""
			}
		}
		a.tell(a.background, persistence.SignalInspected, s.By, answer)
	})
}
