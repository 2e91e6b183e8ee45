package persistence

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Bus tells other nodes and outside consumers what jobs are now. It may lose messages; it says so when it may have, and
// whoever must not miss a state reads the Store then.
type Bus interface {
	// Publish announces states: each becomes the value of the key job:<id> and a message on the channel job:<id>, and all
	// become one delivery to every other node, or a few if the bus divides jobs among servers. No two states may be of one job.
	// A state that is older than the last one published of its job, by any node, changes nothing and is told to nobody: whoever was
	// stopped or cut off in between tells of the past when it goes on.
	Publish(ctx context.Context, states []State) error

	// Last reads the last published states; nil where there is none any more.
	Last(ctx context.Context, ids []job.ID) ([][]byte, error)

	// Subscribe calls receive with what other nodes say, in the order of each node's saying of each job, until the context ends. It
	// calls ready once, after the server has confirmed the subscription. It reconnects by itself and then reports a gap. Receive must not block.
	Subscribe(ctx context.Context, ready func(), receive func(Delivery)) error

	// Signal tells every other node something that is not a state.
	Signal(ctx context.Context, signal Signal) error
}

// State is a job's public state on its way out.
type State struct {
	ID       job.ID
	Version  int64  // of the view; the greater one is the newer one
	Terminal bool   // decides how long the key is kept
	Final    bool   // no state of the job can ever be newer: it has completed. A bus need not compare its version.
	JSON     []byte // a job.View
}

// Delivery is what arrives from another node.
type Delivery struct {
	Node   string
	States [][]byte // job.Views as JSON
	Signal *Signal
	// Gap: messages may have been lost before this one (of any node, if Node is empty).
	Gap bool
	// Sent is when the other node said it, by its clock; zero if that is not known.
	Sent time.Time
}

// Signal is word between nodes.
type Signal struct {
	// Topic is what it is about.
	Topic SignalTopic `json:"topic"`
	ID    job.ID      `json:"id"`
	Queue string      `json:"queue,omitempty"`
	By    string      `json:"by,omitempty"` // who asks, and why
	// Jobs are the ids that it is about where they are many, at most MaxBatch.
	Jobs []job.ID `json:"jobs,omitempty"`
	// Presence accompanies SignalPresence.
	Presence *Presence `json:"presence,omitempty"`
	// To is the only node that it is for; empty: all.
	To string `json:"to,omitempty"`
	// Data is what a node asks or answers, at most MaxSignal bytes of JSON.
	Data json.RawMessage `json:"data,omitempty"`
}

// MaxSignal bounds the data of a signal: every node receives it.
const MaxSignal = 256 << 10

// Presence is what the streams of a node show, as it says every few seconds.
type Presence struct {
	// Topics are at most MaxPresenceTopics. With more of them, All is set instead.
	Topics []string `json:"topics,omitempty"`
	All    bool     `json:"all,omitempty"`
}

// MaxPresenceTopics bounds the topics of one presence.
const MaxPresenceTopics = 500

// SignalTopic is what a signal is about.
type SignalTopic string

const (
	// SignalCancel: a request to cancel the job was left; whoever runs it should look now.
	SignalCancel SignalTopic = "cancel"
	// SignalQueue: the queue's settings have changed.
	SignalQueue SignalTopic = "queue"
	// SignalLines: the jobs' logs or outputs have new lines.
	SignalLines SignalTopic = "lines"
	// SignalRemoved: the jobs' rows are gone; whoever shows them should not any more.
	SignalRemoved SignalTopic = "removed"
	// SignalPresence: what the node's streams show.
	SignalPresence SignalTopic = "presence"
	// SignalInspect: the node By asks the node To what lives there, and SignalInspected is the answer.
	SignalInspect   SignalTopic = "inspect"
	SignalInspected SignalTopic = "inspected"
)
