package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// maxHead bounds the head of an envelope, in bytes.
const maxHead = 4 << 10

// maxFault bounds the text of an error that travels, in bytes.
const maxFault = 1 << 10

// What an envelope is.
const (
	opAsk    = "ask"    // a request for Handle
	opAnswer = "answer" // the answer to any of the others
)

// envelope is what nodes send each other: a line of JSON, then the body as it is.
type envelope struct {
	ID   uint64 `json:"id"` // the asker's, and of its answer
	Op   string `json:"op"`
	From party  `json:"from"`
	To   party  `json:"to"`
	// Within is how long the asker waits, in milliseconds.
	Within int64  `json:"within,omitempty"`
	Error  *fault `json:"error,omitempty"`
	Body   []byte `json:"-"`
}

// party is one end of an envelope. A number 0 is of a node that has not been told its incarnation, or of whichever is there.
type party struct {
	Node        string `json:"node,omitempty"`
	Incarnation int64  `json:"incarnation,omitempty"`
}

// fault is an error that travels.
type fault struct {
	Code string `json:"code"`
	Text string `json:"text,omitempty"`
}

func (e *envelope) within() time.Duration { return time.Duration(e.Within) * time.Millisecond }

// seal writes an envelope. An error wraps persistence.ErrInvalid.
func (e *envelope) seal() ([]byte, error) {
	head, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("write an envelope: %w", err)
	}
	if len(head) >= maxHead || len(e.Body) > MaxBody {
		return nil, fmt.Errorf("an envelope of %d+%d bytes, at most %d+%d travel: %w", len(head), len(e.Body), maxHead, MaxBody, persistence.ErrInvalid)
	}
	data := make([]byte, 0, len(head)+1+len(e.Body))
	data = append(append(data, head...), '\n')
	return append(data, e.Body...), nil
}

// open reads an envelope; its body is part of data.
func open(data []byte) (*envelope, error) {
	if len(data) > MaxEnvelope {
		return nil, fmt.Errorf("an envelope of %d bytes", len(data))
	}
	end := bytes.IndexByte(data[:min(len(data), maxHead)], '\n')
	if end < 0 {
		return nil, errors.New("an envelope without a head")
	}
	e := new(envelope)
	if err := json.Unmarshal(data[:end], e); err != nil {
		return nil, fmt.Errorf("the head of an envelope: %w", err)
	}
	e.Body = data[end+1:]
	switch {
	case e.ID == 0 || e.Op == "" || len(e.Op) > 32:
		return nil, errors.New("an envelope that is nothing")
	case !job.ValidName(e.From.Node) || e.To.Node != "" && !job.ValidName(e.To.Node):
		return nil, errors.New("an envelope with the name of no node")
	case e.From.Incarnation < 0 || e.To.Incarnation < 0 || e.Within < 0:
		return nil, errors.New("an envelope with a negative number")
	case len(e.Body) > MaxBody:
		return nil, fmt.Errorf("an envelope with a body of %d bytes", len(e.Body))
	}
	return e, nil
}
