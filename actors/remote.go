package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Commands between nodes go straight to the node that they are for, through remoting, where both have it. Nothing rests on that: what a
// command must bring about is left in the store or the inbox as well, and a node that can't be asked is told over the bus. So each
// is bounded, may be lost, and may come twice.

// asker asks another node; *cluster.Remoting is one. It answers persistence.ErrUnavailable for a node that it can't reach, and waits no
// longer than the context.
type asker interface {
	Ask(ctx context.Context, node string, request []byte) ([]byte, error)
}

// askTimeout bounds one question to another node.
const askTimeout = 2 * time.Second

// maxRemote bounds a question or an answer, in bytes.
const maxRemote = 256 << 10

// remoteOp is what one node asks of another. A node of another version may know other ones: what it does not know it refuses.
type remoteOp string

const (
	opPing    remoteOp = "ping"
	opCancel  remoteOp = "cancel"  // a request to cancel stands in the row: end the handler's context now
	opInspect remoteOp = "inspect" // tell what lives there
	opDrain   remoteOp = "drain"   // end in order, as on SIGTERM
)

// remoteRequest is a question. Fields that an op does not use are empty.
type remoteRequest struct {
	Op     remoteOp    `json:"op"`
	Job    job.ID      `json:"job,omitzero"`
	By     string      `json:"by,omitempty"` // who asks
	Cancel *job.Cancel `json:"cancel,omitempty"`
}

// remoteAnswer is the answer: what was asked for, or a code and a text that say why it is not there.
type remoteAnswer struct {
	Node  string     `json:"node"`
	Tree  *ActorTree `json:"tree,omitempty"`
	Job   *job.View  `json:"job,omitempty"` // as its actor has it; absent if it does not live there
	Code  remoteCode `json:"code,omitempty"`
	Error string     `json:"error,omitempty"`
}

// remoteCode tells the one who asks what to make of a refusal.
type remoteCode string

const (
	codeUnknownOp remoteCode = "unknown_op"
	codeInvalid   remoteCode = "invalid"
	codeBusy      remoteCode = "busy"
	codeRefused   remoteCode = "refused"
	codeFailed    remoteCode = "failed"
)

// err is the refusal as an error of this node's.
func (r *remoteAnswer) err() error {
	switch r.Code {
	case "":
		return nil
	case codeUnknownOp:
		return fmt.Errorf("node %s: %w: it is of a version that does not know this: %s", r.Node, persistence.ErrUnavailable, r.Error)
	case codeRefused:
		return fmt.Errorf("node %s: %w", r.Node, ErrNoDrain)
	case codeBusy:
		return fmt.Errorf("node %s: %w: %s", r.Node, ErrBusy, r.Error)
	}
	return fmt.Errorf("node %s: %w: %s", r.Node, persistence.ErrUnavailable, r.Error)
}

// askNode asks another node. ErrUnavailable if this node or that one has no remoting, or it does not answer in time.
func (a *App) askNode(ctx context.Context, node string, request remoteRequest) (remoteAnswer, error) {
	if a.peers == nil {
		return remoteAnswer{}, fmt.Errorf("ask node %s: %w: this node has no remoting", node, persistence.ErrUnavailable)
	}
	data, err := json.Marshal(request)
	if err != nil {
		return remoteAnswer{}, fmt.Errorf("ask node %s: %w", node, err)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	data, err = a.peers.Ask(ctx, node, data)
	if err != nil {
		return remoteAnswer{}, fmt.Errorf("ask node %s to %s: %w", node, request.Op, err)
	}
	var answer remoteAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		return remoteAnswer{}, fmt.Errorf("ask node %s to %s: %w: read the answer: %w", node, request.Op, persistence.ErrUnavailable, err)
	}
	return answer, answer.err()
}

// remote answers another node. The engine has made sure that it is one of ours, and bounds how many it asks at once.
func (a *App) remote(ctx context.Context, from string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	answer := remoteAnswer{Node: a.config.Node}
	var r remoteRequest
	if len(request) > maxRemote {
		answer.Code, answer.Error = codeInvalid, "too large"
	} else if err := json.Unmarshal(request, &r); err != nil {
		answer.Code, answer.Error = codeInvalid, "not readable"
	} else if err := a.obey(ctx, from, &r, &answer); err != nil {
		answer.Code, answer.Error = codeOf(err), err.Error()
		a.log.Warn("a command of another node was refused", "from", from, "op", r.Op, "by", r.By, "job", r.Job, "error", err)
	}
	data, err := json.Marshal(answer)
	if err == nil && len(data) > maxRemote {
		data, err = json.Marshal(remoteAnswer{Node: a.config.Node, Code: codeFailed, Error: "the answer is too large"})
	}
	return data, err
}

// errUnknownOp: another node asked for what this version does not know.
var errUnknownOp = errors.New("unknown op")

func codeOf(err error) remoteCode {
	switch {
	case errors.Is(err, errUnknownOp):
		return codeUnknownOp
	case errors.Is(err, ErrInvalid):
		return codeInvalid
	case errors.Is(err, ErrBusy):
		return codeBusy
	case errors.Is(err, ErrNoDrain):
		return codeRefused
	}
	return codeFailed
}

func (a *App) obey(ctx context.Context, from string, r *remoteRequest, answer *remoteAnswer) error {
	switch r.Op {
	case opPing:
		return nil
	case opCancel:
		return a.obeyCancel(ctx, from, r, answer)
	case opInspect:
		tree, err := a.Actors(ctx, r.Job)
		answer.Tree = &tree
		return err
	case opDrain:
		return a.drainAsked(from, r.By)
	}
	return fmt.Errorf("%w: %.40q", errUnknownOp, r.Op)
}

func (a *App) obeyCancel(ctx context.Context, from string, r *remoteRequest, answer *remoteAnswer) error {
	if r.Cancel == nil || r.Job.IsZero() {
		return fmt.Errorf("%w: cancel: no job, or no word", ErrInvalid)
	}
	if err := r.Cancel.Validate(); err != nil {
		return fmt.Errorf("%w: cancel: %w", ErrInvalid, err)
	}
	if now := a.supervisor.askCancel(ctx, r.Job, *r.Cancel); now != nil {
		view := now.View()
		answer.Job = &view
	}
	a.log.Info("told to cancel a job", "from", from, "by", r.Cancel.By, "job", r.Job, "lives", answer.Job != nil)
	return nil
}
