package persistence

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Inbox accepts jobs durably and hands each to one holder at a time, under a lease.
//
// A job that the inbox knows is in exactly one of three places: waiting (claimable), delayed (until its due time) or
// leased (to a node, under a token). Of the waiting ones some may be parked: claimable only for nodes that say they can
// take them. In everything else a parked job is a waiting one. Every method moves jobs between these places in one atomic step per queue, and
// every method may be repeated after an error whose effect is unknown. Time is the inbox's own clock, except where a
// caller gives a due time.
//
// Errors wrap ErrUnavailable or ErrFull where they apply.
type Inbox interface {
	// Enqueue makes the jobs durable in the queue: waiting at the back of their priority, or delayed if RunAt is ahead
	// of the inbox's clock. It is all or nothing. An entry whose id the inbox already knows in the same or a later life is
	// left as it is (so refilling is harmless); one of a later life replaces the earlier. An entry whose Key is already taken
	// by another job is not accepted, and the answer names that job. One answer per entry, in order. At most MaxBatch entries.
	Enqueue(ctx context.Context, queue string, entries []Entry) ([]Enqueued, error)

	// Claim leases up to ask.Max jobs to the node. Parked ones that the node can take come before all others; see Park for their
	// order. Of the others come those with the smallest priority first and, within one, those that waited longest. Each gets a token one
	// greater than its last. It returns at once, also when there is nothing. See Ask for what else bounds it.
	Claim(ctx context.Context, queue, node string, ask Ask) ([]Claim, error)

	// Renew gives the leases another term. One answer per lease, in order.
	Renew(ctx context.Context, queue string, leases []Lease, term time.Duration) ([]Renewal, error)

	// Settle ends leases: each as its settlement says. What is not held under the given lease is left as it is, and
	// answered false. One answer per settlement, in order.
	Settle(ctx context.Context, queue string, settlements []Settlement) ([]bool, error)

	// Restore puts back jobs whose leases the inbox has forgotten, as it has after losing its data, with their leases. An entry
	// whose id the inbox knows is left as it is. One answer per entry: whether it was put back.
	Restore(ctx context.Context, queue, node string, entries []Entry, lease time.Duration) ([]bool, error)

	// Reap returns up to max jobs whose leases have ended to the front of the queue, each with its crashes counted up.
	Reap(ctx context.Context, queue string, max int) (reaped []job.ID, err error)

	// ReapHolder returns jobs that a node holds to the front of the queue before their leases have ended, each with its crashes
	// counted up: the node is dead. It looks at about max leases of the queue, whoever holds them, and returns those of the
	// node that are among them, those of one call in the order in which their leases would have ended. After "" it begins; next is what the
	// following call begins after, and "" when the walk is over. A walk meets every lease that the node holds from its first call to its last,
	// whatever comes and goes meanwhile; what the node claims during the walk it may miss. A walk that an error or the inbox's restart interrupts
	// should begin anew. Several may walk at once: each job is returned by one of them.
	ReapHolder(ctx context.Context, queue, node, after string, max int) (reaped []job.ID, next string, err error)

	// Due moves up to max delayed jobs whose time has come to the back of the queue, and says when the next is due:
	// zero if none is.
	Due(ctx context.Context, queue string, max int) (moved int, next time.Time, err error)

	// Hasten makes delayed jobs claimable now, raising each one's token to at least the given one. Unknown ids and jobs
	// that are not delayed are left as they are.
	Hasten(ctx context.Context, queue string, tokens map[job.ID]int64) error

	// Remove forgets jobs that wait or are delayed. A leased job is left to its holder. The ids also leave the list of dead letters.
	Remove(ctx context.Context, queue string, ids []job.ID) error

	// RequestCancel leaves word for whoever holds the job, or claims it next: Renew and Claim report it.
	RequestCancel(ctx context.Context, queue string, id job.ID) error

	// Known says which ids the inbox knows, in order.
	Known(ctx context.Context, queue string, ids []job.ID) ([]bool, error)

	// Depth counts the queue's jobs without walking them.
	Depth(ctx context.Context, queue string) (Depth, error)

	// Generation names this inbox's memory: a text that stays the same for as long as nothing was lost, and is another after
	// the data was lost or replaced. It is the signal to refill.
	Generation(ctx context.Context) (string, error)

	// Watch calls wake with a queue's name whenever that queue may have got something to claim, until the context ends. It
	// may miss some (poll, too) and may call for nothing. Wake must not block.
	Watch(ctx context.Context, wake func(queue string)) error

	// Ping says whether the inbox can accept a job now.
	Ping(ctx context.Context) error
}

// MaxBatch bounds how many jobs one call may carry.
const MaxBatch = 1000

// Entry is a job on its way into an inbox.
type Entry struct {
	ID       job.ID
	Life     int
	Priority int       // 0 to job.MaxPriority
	RunAt    time.Time // due time; zero or past: at once
	Token    int64     // the last token given out for the job; 0 for a new one
	Crashes  int       // counted so far in this life
	Envelope []byte    // see job.EncodeEnvelope; the inbox does not read it
	Key      *Key      // idempotency key, if the client gave one
}

// Key is a client's idempotency key as it binds a job.
type Key struct {
	Scope       string // whose key it is: equal keys in different scopes are different keys
	Key         string
	Fingerprint string        // hash of the request's body
	TTL         time.Duration // how long the key binds, counted from acceptance
}

// Enqueued is an inbox's answer to one entry.
type Enqueued struct {
	// Accepted: the inbox has the job durably, now or from before.
	Accepted bool
	// Holder and Fingerprint: of the job that has the entry's key already. Set if and only if not accepted.
	Holder      job.ID
	Fingerprint string
}

// Lease names one holding of one job.
type Lease struct {
	ID    job.ID
	Token int64
	Node  string
}

// Ask is what a node wants of a queue.
type Ask struct {
	// Max is how many jobs at most; nothing if it is below 1. More than MaxBatch counts as that.
	Max int
	// Lease is how long they are the node's unless it renews; at least a millisecond.
	Lease time.Duration
	// Limit is how many leases the queue may have, those of all nodes together: a claim gives no more than bring them to it.
	// None if it is below 1. It is exact among claims, however many there are at once. After a claim that was cut by it while jobs waited
	// the next Settle that ends a lease wakes the watchers, if it comes within CutMemory; a later one need not.
	Limit int
	// Can is the names under which the node takes parked jobs, each a job.ValidName.
	Can []string
}

// CutMemory is for how long an inbox remembers that a claim was cut by its limit. Who was cut should ask again sooner.
const CutMemory = 30 * time.Second

// Claim is a job that was just leased.
type Claim struct {
	ID              job.ID
	Life            int // of the entry: what is counted is of this life
	Token           int64
	Crashes         int
	CancelRequested bool
	Envelope        []byte
}

// Renewal is what became of a lease.
type Renewal struct {
	State           LeaseState
	CancelRequested bool
}

// LeaseState is whether a lease still holds.
type LeaseState uint8

const (
	// Held: the lease runs for another term.
	Held LeaseState = iota + 1
	// Lost: the job waits, is delayed or is leased to somebody else.
	Lost
	// Forgotten: the inbox does not know the job at all.
	Forgotten
)

// Verb is what a settlement does.
type Verb uint8

const (
	// Ack: the job is done with; the inbox forgets it.
	Ack Verb = iota + 1
	// Dead: as Ack, and the job is listed among the queue's dead letters, in one step.
	Dead
	// Delay: the job waits until RunAt, then is claimable at the back of its priority.
	Delay
	// Return: the job is claimable at once, at the front of its priority.
	Return
	// Park: the job waits for a Claim that can take what is parked under For, and no other. Of those under one name the smallest priority is
	// claimed first, and within one the job with the smallest id, which is the one made first. It wakes the watchers, for one of them may be able to.
	Park
)

// MaxParked bounds under how many names a queue has jobs parked. Under one more none is parked: the job is delayed for ParkDelay instead.
const (
	MaxParked = 200
	ParkDelay = 5 * time.Second
)

// Settlement ends one lease.
type Settlement struct {
	Lease Lease
	Verb  Verb
	// RunAt is for Delay: the job waits for as long as this is ahead of the caller's clock, by the inbox's own. A backoff is as long as
	// it should be, also if the two differ.
	RunAt time.Time
	For   string // for Park: who can take it, by a job.ValidName; normally the job's kind
}

// Depth is how much a queue holds.
type Depth struct {
	Waiting int64 // the parked ones, too
	Leased  int64
	Delayed int64
	Dead    int64
	// Parked is how many of the waiting ones are parked, by the name; nil if none is.
	Parked map[string]int64
	// Oldest is when the job at the head of the waiting ones was made, over all priorities and names; zero if none waits.
	Oldest time.Time
	// OldestDead is when the oldest dead letter that is listed became one, or that of the job that was made first; zero if there is none.
	OldestDead time.Time
}
