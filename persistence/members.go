package persistence

import (
	"context"
	"encoding/json"
	"time"
)

// Members is the list of the nodes that live. It makes adoption fast and tells commands where to go; it decides nothing: who holds a
// job is the Inbox's word, and whose write counts is the Store's. A node that can't reach it works on by its leases alone.
//
// A member lives for as long as it beats. One that has been silent for too long, or of which it is certain that its process is gone, is
// declared dead by the beat of any other: it leaves the list and is among the fallen until somebody has ended its leases. After
// a time in which the list itself could not be reached, or did not answer, nobody is declared dead before everybody had
// the time to beat again.
//
// Errors wrap ErrUnavailable or ErrInvalid where they apply. Every method may be repeated.
type Members interface {
	// Beat says that the member lives, and what it is now. Silence is how long it may be silent from now on: at least MinSilence.
	// Its cost does not depend on how many members there are.
	Beat(ctx context.Context, m Member, silence time.Duration) (Roll, error)

	// Leave takes the member off the list: it has handed back all it held, and is not among the fallen. An unknown one is no error.
	Leave(ctx context.Context, name string) error

	// List reads all members, by name, at most MaxMembers.
	List(ctx context.Context) ([]Member, error)

	// Fallen reads which nodes were declared dead and not buried yet, the longest dead first, at most MaxMembers.
	Fallen(ctx context.Context) ([]Fallen, error)

	// Bury takes a node off the fallen, once its leases have been ended. One that beats again is taken off by its beat.
	Bury(ctx context.Context, name string) error

	// AskDrain leaves word for a member to drain, which its beats answer from then on. ErrNotFound if there is no such member.
	AskDrain(ctx context.Context, name, by string) error
}

// Bounds of a list of members.
const (
	// MinSilence is the shortest silence after which a member may be declared dead.
	MinSilence = time.Second
	// MaxMembers bounds a list of members.
	MaxMembers = 2000
	// MaxMemberInfo bounds what a member tells of itself, in bytes of JSON.
	MaxMemberInfo = 16 << 10
)

// Member is a node that lives.
type Member struct {
	Name        string          `json:"name"`              // a job.ValidName, unique for ever
	Incarnation int64           `json:"incarnation"`       // grows with each start, and each return from the dead, of any node
	Address     string          `json:"address,omitempty"` // host:port of its remoting; empty if it has none
	Started     time.Time       `json:"started_at"`
	Info        json.RawMessage `json:"info,omitempty"` // what it tells of itself
	// Seen is when its last beat came, by the list's own clock. It is of the answer only.
	Seen time.Time `json:"seen_at,omitzero"`
}

// Fallen is a node that was declared dead.
type Fallen struct {
	Name  string
	Since time.Time       // by the list's own clock
	Info  json.RawMessage // the last it told of itself
}

// Roll is what a beat is answered.
type Roll struct {
	// Epoch changes whenever a member comes, goes, falls, or changes its incarnation or address: time to read the list again.
	Epoch int64
	// Returned: the member was declared dead since its last beat, and lives again with this one. Leases that it held may be others' by now.
	Returned bool
	// Fallen says whether anybody is among the fallen.
	Fallen bool
	// DrainBy names who asked that the member drain; empty if nobody did.
	DrainBy string
}
