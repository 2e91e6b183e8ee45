package job

import (
	"encoding/json"
	"time"
)

// Job is one job's whole record: what was asked and where it stands. It is a value; Apply returns a changed copy and
// never writes through slices or pointers. Copies, events and transitions share what those refer to: treat the bytes of a
// payload, a checkpoint or a result, and a Failure, as read-only from the moment they are part of a job.
type Job struct {
	// What was asked. Fixed at submission.

	ID       ID              `json:"id"`
	Kind     string          `json:"kind"`     // selects the handler
	Queue    string          `json:"queue"`    // where it waits
	Priority int             `json:"priority"` // 0 is claimed first, 3 last
	Payload  json.RawMessage `json:"payload,omitempty"`
	Owner    string          `json:"owner,omitempty"` // the principal it belongs to
	Tags     []string        `json:"tags,omitempty"`
	Group    string          `json:"group,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	Policy   Policy          `json:"policy"`
	Created  time.Time       `json:"created_at"`

	// Where it stands. Changed by events only.

	Life       int             `json:"life"` // 1 at submission; each redrive starts the next
	Status     Status          `json:"status"`
	Token      int64           `json:"token"` // fencing token: grows with each claim
	Rev        int64           `json:"rev"`   // grows with each change, see RevsPerToken
	Node       string          `json:"node,omitempty"`
	Attempt    int             `json:"attempt"`  // number of the attempt that runs or ran last; 0 before the first
	Attempts   int             `json:"attempts"` // attempts spent in this life: its handler failed
	Crashes    int             `json:"crashes"`  // in this life: a node died or lost its lease
	Progress   Progress        `json:"progress"`
	Checkpoint json.RawMessage `json:"checkpoint,omitempty"`
	Result     json.RawMessage `json:"result,omitempty"`
	Failure    *Failure        `json:"failure,omitempty"` // of the last attempt that failed; cleared by success
	Artifacts  []Artifact      `json:"artifacts,omitempty"`
	Cancel     *Cancel         `json:"cancel,omitempty"` // somebody asked that this life be stopped
	RunAt      time.Time       `json:"run_at,omitzero"`  // when it is, or was, due
	Started    time.Time       `json:"started_at,omitzero"`
	Updated    time.Time       `json:"updated_at"`
	Finished   time.Time       `json:"finished_at,omitzero"` // set if and only if the status is terminal
}

// Progress is how far a life has come. The published percentage never goes backwards within a life, also when a later
// attempt begins again: the attempt's number beside it tells.
type Progress struct {
	Percent    float64  `json:"pct"`               // 0 to 100
	Stage      string   `json:"stage,omitempty"`   // name of the stage under way
	StageIndex int      `json:"stage_i,omitempty"` // its number, from 1
	StageCount int      `json:"stage_n,omitempty"` // how many there are
	Note       string   `json:"note,omitempty"`    // a line for a person, at most MaxNote bytes
	ETA        Duration `json:"eta,omitzero"`      // estimated time left
}

// Artifact is a file that the handler made and the artifact store holds.
type Artifact struct {
	Name  string `json:"name"` // unique within the job; see ValidName
	Type  string `json:"type"` // media type
	Bytes int64  `json:"bytes"`
	Token int64  `json:"token"` // of the attempt that made it: a stale attempt can't overwrite a newer file
	ETag  string `json:"etag"`  // hex SHA-256 of the content
}

// Bounds on what a job keeps. What is over one is cut (notes) or refused (the rest).
const (
	MaxPayload    = 256 << 10
	MaxCheckpoint = 256 << 10
	MaxResult     = 256 << 10
	MaxNote       = 512
	MaxArtifacts  = 64
	MaxTags       = 16
	MaxName       = 64 // kind, queue, owner, tag, group, artifact: bytes
	MaxPriority   = 3
)

// RevsPerToken is how many changes one claim can number. What a handler may say without end stops being numbered before
// the end, progress first and then checkpoints and artifacts, so that the transitions always fit and no rev ever reaches
// into the next token's.
const RevsPerToken = 1_000_000

// How many of a token's revs progress must leave, and how many checkpoints and artifacts must leave.
const (
	revsBeyondProgress    = 1_000
	revsBeyondCheckpoints = 10
)

// Transition is one line of a job's history.
type Transition struct {
	Rev     int64     `json:"rev"`
	At      time.Time `json:"at"`
	Event   string    `json:"event"` // name of the event: Claimed, Succeeded, ...
	Status  Status    `json:"status"`
	Life    int       `json:"life"`
	Attempt int       `json:"attempt"`
	Token   int64     `json:"token"`
	Node    string    `json:"node,omitempty"`
	Note    string    `json:"note,omitempty"` // why, in words, where there is a why
	Failure *Failure  `json:"failure,omitempty"`
	RunAt   time.Time `json:"run_at,omitzero"`
}

// FirstTransition is the history's first line for a job fresh from New.
func (j Job) FirstTransition() Transition { return *j.transition("Submitted", "") }

func (j *Job) transition(event, note string) *Transition {
	t := &Transition{
		Rev: j.Rev, At: j.Updated, Event: event, Status: j.Status, Life: j.Life,
		Attempt: j.Attempt, Token: j.Token, Node: j.Node, Note: note,
	}
	if j.Status == Retrying || j.Status == Scheduled {
		t.RunAt = j.RunAt
	}
	return t
}
