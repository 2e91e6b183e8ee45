package persistence

import (
	"context"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Store keeps every job's row and history. It is the authority on what a job is.
//
// Errors wrap ErrUnavailable, ErrInvalid or ErrNotFound where they apply.
type Store interface {
	Lines

	// Commit writes the jobs and their lines of history in one transaction, each write under the fence (see the package's document).
	// No two writes may be of one job. At most MaxBatch. One outcome per write, in order. A write that the store can never
	// take fails the whole call with ErrInvalid: the caller splits the batch to find it.
	Commit(ctx context.Context, writes []Write) ([]Outcome, error)

	// Accept is Commit for new jobs with idempotency keys that must bind at once: a write whose key another job holds
	// is not made, and its outcome names that job. One transaction; all others are made.
	Accept(ctx context.Context, writes []Write) ([]Acceptance, error)

	// Get reads jobs by id, always fresh, in the order of the ids. What is not there is left out.
	Get(ctx context.Context, ids []job.ID) ([]Record, error)

	// List reads one page of jobs, newest first, without result and checkpoint, and without payload unless the query asks for it.
	List(ctx context.Context, query Query) (Page, error)

	// DeadGroups counts the dead letters that match by what they have in common: fingerprint and kind. Like a bounded query it looks
	// at the newest of them only. The query's statuses, cursor and limit don't count.
	DeadGroups(ctx context.Context, query Query) (Groups, error)

	// Live reads jobs that have not ended, whole, in the order of their ids, from after the given one.
	Live(ctx context.Context, after job.ID, limit int) ([]Record, error)

	// Waiting reads which of the queue's jobs are claimable now (queued, or due), in the order in which they would be claimed:
	// priority, then id. At most limit, and never more than MaxWaiting. It looks at the oldest WaitingSpan live jobs of all queues
	// and at no more, so it costs no more while a backlog grows: what is younger is left out.
	Waiting(ctx context.Context, queue string, limit int) ([]job.ID, error)

	// History reads a job's transitions, oldest first; ErrNotFound if there is no such job.
	History(ctx context.Context, id job.ID) ([]job.Transition, error)

	// RequestCancel leaves word on the row of a job that has not ended, outside the fence: it moves no rev, so the holder's next
	// write is admitted, and keeps the word. From then on every record and every list has it as the job's Cancel, until a redrive. Of several
	// requests the first stands. It answers the record as it then is: one that had ended before without word has none;
	// ErrNotFound if there is no such job, ErrInvalid for one that job.Cancel.Validate refuses.
	RequestCancel(ctx context.Context, id job.ID, word job.Cancel) (Record, error)

	// FindKey reads which job a key binds; ErrNotFound if it binds none.
	FindKey(ctx context.Context, scope, key string) (BoundKey, error)

	// Keys reads the keys that still bind, for the refilling of an inbox, in the order of (scope, key).
	Keys(ctx context.Context, after BoundKey, limit int) ([]BoundKey, error)

	// Delete removes jobs that have ended, with their history and their lines. The others are left. It answers which were removed: these may
	// be fewer than could be, if they have more lines than can be removed in time.
	Delete(ctx context.Context, ids []job.ID) ([]job.ID, error)

	// Prune removes up to limit jobs that ended before the given time, with their history and their lines, and keys that bind no longer.
	Prune(ctx context.Context, before time.Time, limit int) ([]job.ID, error)

	// Queues reads the settings of all queues that have any.
	Queues(ctx context.Context) ([]QueueSettings, error)

	// SaveQueue writes a queue's settings.
	SaveQueue(ctx context.Context, settings QueueSettings) error

	// Watch calls fresh whenever a row was put into the store by somebody other than a node (an enqueue inside a caller's own
	// transaction), so that it needs refilling into the inbox, until the context ends. It may miss some.
	Watch(ctx context.Context, fresh func(id job.ID)) error

	// Secret keeps a secret that all nodes share: the fresh one if none of that name is kept, and answers what is kept. The name is
	// a job.ValidName, the secret 1 to MaxSecret bytes.
	Secret(ctx context.Context, name string, fresh []byte) ([]byte, error)

	// Incarnation answers a number greater than any that it answered before, to whomever: what a node calls its next life. It is at least 1.
	Incarnation(ctx context.Context) (int64, error)

	// Ping says whether the store can commit now.
	Ping(ctx context.Context) error
}

// Write is one job to be committed: its whole state, and the lines of history since its last write.
type Write struct {
	Job     job.Job
	History []job.Transition
	Key     *Key // for a new job, if its client gave one
}

// Outcome is what became of a write.
type Outcome struct {
	// Applied: the row is as this write says, now or from before. From before means that fence and time are both the write's:
	// after an inbox was rolled back, one node may be given one token twice, and then two writes can have the same fence.
	Applied bool
	// Current is the row's fence if the write was not applied.
	Current Fence
}

// Fence is what orders writes.
type Fence struct {
	Life   int
	Status job.Status
	Token  int64
	Node   string
	Rev    int64
}

// FenceOf is the fence that a job's write carries.
func FenceOf(j *job.Job) Fence {
	return Fence{Life: j.Life, Status: j.Status, Token: j.Token, Node: j.Node, Rev: j.Rev}
}

// Admits says whether a row under this fence may be changed by a write under the given one. It is the rule that every
// driver states in its own language, and the one they are audited against.
func (row Fence) Admits(write Fence) bool {
	newer := write.Token > row.Token && write.Rev > row.Rev
	if write.Life == row.Life+1 {
		return (row.Status == job.Failed || row.Status == job.Cancelled) && newer
	}
	return write.Life == row.Life && !row.Status.Terminal() &&
		(newer || write.Token == row.Token && write.Node == row.Node && write.Rev > row.Rev)
}

// Acceptance is a store's answer to one accepted job.
type Acceptance struct {
	Accepted bool
	// Holder is the binding of the key by another job. Set if and only if not accepted.
	Holder BoundKey
}

// BoundKey is a key and the job it binds.
type BoundKey struct {
	Scope       string
	Key         string
	Job         job.ID
	Fingerprint string
	Expires     time.Time
}

// Record is a row. Its job's Cancel is word left by RequestCancel, and nothing else: a commit does not write it.
type Record struct {
	Job job.Job
}

// CancelText is how a store keeps word of a request to cancel; ErrInvalid for one that is out of bounds.
func CancelText(word job.Cancel) (string, error) {
	if err := word.Validate(); err != nil {
		return "", fmt.Errorf("%w: a request to cancel: %w", ErrInvalid, err)
	}
	return job.NewCancel(word.By, word.Reason, word.At).Text(), nil
}

// Bounds of Waiting.
const (
	MaxWaiting  = 1000
	WaitingSpan = 20_000
)

// QueueSettings is what people set on a queue while it runs.
type QueueSettings struct {
	Name        string    `json:"name"`
	Paused      bool      `json:"paused"`
	Reason      string    `json:"reason,omitempty"`    // why it is paused
	Concurrency int       `json:"concurrency"`         // handlers at once on each node; 0 is the node's own setting
	Everywhere  int       `json:"cluster_concurrency"` // handlers at once over all nodes; 0 is no bound
	Updated     time.Time `json:"updated_at"`
}
