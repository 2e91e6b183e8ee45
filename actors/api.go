package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Submission is what a client asks for. Zero fields take the defaults of the queue or of the kind.
type Submission struct {
	Kind     string
	Queue    string // empty: the kind's queue, or "default"
	Priority *int   // nil: 1
	Payload  json.RawMessage
	Owner    string
	Tags     []string
	Group    string
	Batch    string
	Policy   job.Policy // zero fields: the kind's, the queue's, then job.DefaultPolicy
	RunAt    time.Time
	// Key and Fingerprint bind the submission to an idempotency key: Fingerprint is a hash of the request's body.
	Key         string
	Fingerprint string
}

// Accepted is the answer to one submission.
type Accepted struct {
	Job job.Job
	// Repeated: the key had been used before with the same body; Job is the job it made then, as it is now.
	Repeated bool
	// Durability is how the job is kept: "inbox" or "store" (which means both).
	Durability string
}

// Refusals. The HTTP interface maps each to a status.
var (
	// ErrUnknownKind: no node has a handler for the kind. 422.
	ErrUnknownKind = errors.New("unknown kind")
	// ErrInvalid: the submission breaks a rule; the text names the field. 422.
	ErrInvalid = errors.New("invalid")
	// ErrKeyInFlight: the first request with this idempotency key is not answered yet. 409 with Retry-After.
	ErrKeyInFlight = errors.New("the first request with this idempotency key is still in flight")
	// ErrClosed: the node is draining or not started. 503 with Retry-After.
	ErrClosed = errors.New("the node takes no new work")
	// ErrBusy: a bound is reached. 503 or 429 with Retry-After.
	ErrBusy = errors.New("busy")
)

// KeyConflictError: the idempotency key was used before with another body. 422. First is the job that has the key, so
// that the caller can say what differs.
type KeyConflictError struct {
	Key   string
	First job.Job
}

// Error names the key.
func (e *KeyConflictError) Error() string {
	return fmt.Sprintf("idempotency key %q was used before with another body", e.Key)
}

// Topic selects the jobs of a stream.
type Topic struct {
	Kind  TopicKind
	Value string // id, owner, queue or batch; empty for all and stats
}

// TopicKind is what a topic selects by.
type TopicKind string

// The kinds of topics.
const (
	TopicJob   TopicKind = "job"
	TopicOwner TopicKind = "owner"
	TopicQueue TopicKind = "queue"
	TopicBatch TopicKind = "batch"
	TopicAll   TopicKind = "all"
	// TopicStats shows no job, but how queues and this node are.
	TopicStats TopicKind = "stats"
)

// ParseTopic reads "kind:value", "all" or "stats".
func ParseTopic(s string) (Topic, error) {
	if s == string(TopicAll) || s == string(TopicStats) {
		return Topic{Kind: TopicKind(s)}, nil
	}
	kind, value, _ := strings.Cut(s, ":")
	t := Topic{Kind: TopicKind(kind), Value: value}
	switch t.Kind {
	case TopicJob:
		if _, err := job.ParseID(value); err != nil {
			return Topic{}, fmt.Errorf("topic %.80q: %w", s, err)
		}
		return t, nil
	case TopicOwner, TopicQueue, TopicBatch:
		if job.ValidName(value) {
			return t, nil
		}
	}
	return Topic{}, fmt.Errorf("topic %.80q: want job:ID, owner:NAME, queue:NAME, batch:NAME, all or stats", s)
}

// String is the form that ParseTopic reads.
func (t Topic) String() string {
	if t.Kind == TopicAll || t.Kind == TopicStats {
		return string(t.Kind)
	}
	return string(t.Kind) + ":" + t.Value
}

// WatchRequest opens a watch.
type WatchRequest struct {
	Topics []Topic // 1 to MaxTopics
	// Epoch and Since are the two halves of the last event id that the client saw, "EPOCH-N": if the epoch is this broadcaster's,
	// only what changed after N is sent (resume); otherwise everything is (snapshot).
	Epoch string
	Since int64
	// Known maps ids to the revs the client has: what is not newer is not sent, and these ids are in the snapshot also
	// when they ended long ago.
	Known map[job.ID]int64
	// Shows, if set, says which of the jobs in Known may be shown to this client; the others are left out of the snapshot.
	Shows func(*job.View) bool
}

// Bounds of a watch.
const (
	MaxTopics      = 500
	MaxWatchedJobs = 500 // jobs in one snapshot
)

// Update is one job as a stream shows it. View and Frame are shared by all streams: do not change them.
type Update struct {
	View  *job.View
	Seq   int64     // the N of its event id: who has seen this frame has seen all that happened up to N
	At    time.Time // when this broadcaster learned of it
	Frame []byte    // the data of the SSE event "job": one line of JSON

	waits *waiter // nil if the job does not wait
}

// Removal says that a job has left the topic.
type Removal struct {
	ID     job.ID
	Rev    int64
	Reason string // "purged"
}

// Batch is what has happened since the last call of Next.
type Batch struct {
	Updates []*Update
	Removed []Removal
	// Stats is the data of the SSE event "stats", Places that of events "place", as JSON; shared, so do not change them.
	Stats  []byte
	Places [][]byte
	// Ready: with this batch the snapshot, or the resumption, is complete. Set exactly once per watch.
	Ready bool
	// Jobs and Cursor accompany Ready: how many jobs the stream shows, and the number of the newest change they include.
	Jobs   int
	Cursor int64
	// Fault: the snapshot can't be completed now ("db_unavailable"); it is tried again.
	Fault string
	// End: the watch is over; nothing follows. Reasons are "done" (every topic is a job, and all have ended), "drain", "slow".
	End string
}

// Watching is one stream's place at the broadcaster.
type Watching interface {
	// Mode is "snapshot" or "resume".
	Mode() string
	// Epoch names this broadcaster's numbering.
	Epoch() string
	// Next waits until something has happened and returns all of it, latest state of each job only, terminal ones first.
	// It returns the context's error when that has ended, and ErrClosed after a batch with an End.
	Next(ctx context.Context) (Batch, error)
	// Backlog says how the stream keeps up.
	Backlog() Backlog
	// Close gives the place up.
	Close()
}

// Backlog is how a stream keeps up with what happens.
type Backlog struct {
	Coalesced int64         // states that a newer one replaced before they were taken
	Pending   int           // states that wait to be taken
	Lag       time.Duration // how long the oldest of them has waited
}

// QueueState is a queue as operators see it.
type QueueState struct {
	persistence.QueueSettings
	Durability string            `json:"durability"` // "inbox" or "store"
	Limit      int               `json:"limit"`      // handlers at once on this node, as in force
	Running    int               `json:"running"`    // handlers that run, on all nodes as last heard
	Depth      persistence.Depth `json:"-"`
}
