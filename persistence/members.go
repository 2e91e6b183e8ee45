package persistence

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// Members is the list of the nodes that live. It makes adoption fast and tells commands where to go; it decides nothing: who holds a
// job is the Inbox's word, and whose write counts is the Store's. A node that can't reach it works on by its leases alone.
//
// A member lives for as long as it beats. One that has been silent for too long, or of which it is certain that its process is gone, is
// declared dead by the beat of any other: it leaves the list and is among the fallen until somebody has ended its leases. After
// a time in which the list itself could not be reached, or did not answer, nobody is declared dead before everybody had
// the time to beat again. Whoever was declared dead is told so by its next beat, also if it was buried meanwhile.
//
// Errors wrap ErrUnavailable, ErrFull or ErrInvalid where they apply. Every method may be repeated.
type Members interface {
	// Beat says that the member lives, and what it is now. Silence is how long it may be silent from now on: at least MinSilence.
	// Its cost does not depend on how many members there are. ErrFull if it would be one more than MaxMembers.
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
	// MinSilence is the shortest silence after which a member may be declared dead, MaxSilence the longest.
	MinSilence = time.Second
	MaxSilence = time.Hour
	// MaxMembers bounds a list of members.
	MaxMembers = 2000
	// MaxMemberInfo bounds what a member tells of itself, in bytes of JSON.
	MaxMemberInfo = 16 << 10
	// MaxMemberAddress bounds an address, and who asks to drain, in bytes.
	MaxMemberAddress = 300
)

// CheckMember says with ErrInvalid what is wrong with a member or its silence; drivers ask it first.
func CheckMember(m *Member, silence time.Duration) error {
	switch {
	case !job.ValidName(m.Name):
		return fmt.Errorf("%w: a member named %.80q", ErrInvalid, m.Name)
	case m.Incarnation < 0:
		return fmt.Errorf("%w: incarnation %d of a member", ErrInvalid, m.Incarnation)
	case len(m.Address) > MaxMemberAddress:
		return fmt.Errorf("%w: a member's address of %d bytes: at most %d", ErrInvalid, len(m.Address), MaxMemberAddress)
	case len(m.Info) > MaxMemberInfo:
		return fmt.Errorf("%w: a member tells %d bytes of itself: at most %d", ErrInvalid, len(m.Info), MaxMemberInfo)
	case len(m.Info) > 0 && !json.Valid(m.Info):
		return fmt.Errorf("%w: what a member tells of itself is no JSON", ErrInvalid)
	case silence < MinSilence || silence > MaxSilence:
		return fmt.Errorf("%w: a member that may be silent for %s: want %s to %s", ErrInvalid, silence, MinSilence, MaxSilence)
	}
	return nil
}

// CheckDrain says with ErrInvalid what is wrong with who asks a member to drain; drivers ask it first.
func CheckDrain(name, by string) error {
	if !job.ValidName(name) {
		return fmt.Errorf("%w: a member named %.80q", ErrInvalid, name)
	}
	if by == "" || len(by) > MaxMemberAddress {
		return fmt.Errorf("%w: who asks to drain has %d bytes: want 1 to %d", ErrInvalid, len(by), MaxMemberAddress)
	}
	return nil
}

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
