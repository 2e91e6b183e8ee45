package job

import (
	"encoding/json"
	"time"
)

// Event is something that befell a job. The set is closed; Apply knows each.
//
//sumtype:decl
type Event interface{ event() }

// Claimed: a node took the job from the inbox, under a token greater than any before it. Crashes is the inbox's durable
// count for this life; when it exceeds the policy's bound, the job is failed without another run.
type Claimed struct {
	Token   int64
	Node    string
	Crashes int
}

// Progressed: the handler said how far it is.
type Progressed struct{ Progress Progress }

// Checkpointed: the handler left a note for the attempt that may have to go on after it.
type Checkpointed struct{ Data json.RawMessage }

// ArtifactStored: a file of the handler's is safe in the artifact store.
type ArtifactStored struct{ Artifact Artifact }

// Succeeded: the handler returned without an error. It wins over a request to cancel that came too late.
type Succeeded struct{ Result json.RawMessage }

// AttemptFailed: the handler returned an error, panicked or ran out of time. Permanent forbids another attempt;
// RetryAfter, if positive, is the least wait; Jitter places the wait within its step.
type AttemptFailed struct {
	Failure    *Failure
	Permanent  bool
	RetryAfter time.Duration
	Jitter     float64
}

// Snoozed: the handler asked to be run again later. No attempt is spent.
type Snoozed struct{ Delay time.Duration }

// Released: the holder hands the job back to the front of the inbox, as a node does that drains. No attempt is spent.
type Released struct{ Reason string }

// CancelRequested: somebody wants the job stopped. A waiting job is cancelled at once, under the next token; a running one
// is asked. Of several requests the first counts, and so does one that the job has from its row.
type CancelRequested struct {
	By     string
	Node   string // the node that speaks for a waiting job
	Reason string
	At     time.Time // when it was made; zero: now
}

// Hastened: somebody wants a job that waits for its due time to run now. Speaks under the next token.
type Hastened struct {
	By   string
	Node string
}

// Redriven: somebody gives a dead or cancelled job a new life: fresh counters, the same payload, checkpoint and id.
type Redriven struct {
	By   string
	Node string
}

func (Claimed) event()         {}
func (Progressed) event()      {}
func (Checkpointed) event()    {}
func (ArtifactStored) event()  {}
func (Succeeded) event()       {}
func (AttemptFailed) event()   {}
func (Snoozed) event()         {}
func (Released) event()        {}
func (CancelRequested) event() {}
func (Hastened) event()        {}
func (Redriven) event()        {}

// Name is the event's name in histories and diagrams.
func Name(e Event) string {
	switch e.(type) {
	case Claimed:
		return "Claimed"
	case Progressed:
		return "Progressed"
	case Checkpointed:
		return "Checkpointed"
	case ArtifactStored:
		return "ArtifactStored"
	case Succeeded:
		return "Succeeded"
	case AttemptFailed:
		return "AttemptFailed"
	case Snoozed:
		return "Snoozed"
	case Released:
		return "Released"
	case CancelRequested:
		return "CancelRequested"
	case Hastened:
		return "Hastened"
	case Redriven:
		return "Redriven"
	}
	panic("job: an event without a name")
}
