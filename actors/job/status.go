package job

import "fmt"

// Status is where a job stands, in the words that clients, rows, metrics and pages all use.
type Status uint8

const (
	// Scheduled waits for its due time: submitted for later, or snoozed by its handler.
	Scheduled Status = iota + 1
	// Queued waits in the inbox for a node to claim it.
	Queued
	// Processing is claimed by a node, which runs its handler.
	Processing
	// Retrying waits for its next attempt after one that failed.
	Retrying
	// Cancelling was asked to stop while its handler runs, and waits for the handler to obey.
	Cancelling
	// Completed ended well. Terminal.
	Completed
	// Failed is out of attempts, or met an error that no attempt can mend: a dead letter. Terminal.
	Failed
	// Cancelled was stopped by request. Terminal.
	Cancelled
)

// Statuses lists every status in order.
var Statuses = []Status{Scheduled, Queued, Processing, Retrying, Cancelling, Completed, Failed, Cancelled}

var statusNames = [...]string{"", "scheduled", "queued", "processing", "retrying", "cancelling", "completed", "failed", "cancelled"}

// String is the status's name, as it stands in every contract.
func (s Status) String() string {
	if int(s) < len(statusNames) && s != 0 {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// Terminal says whether a life of the job has ended. Only a redrive leaves a terminal status.
func (s Status) Terminal() bool { return s == Completed || s == Failed || s == Cancelled }

// Waiting says whether no handler runs and none has the last word: the job is in the inbox or due later.
func (s Status) Waiting() bool { return s == Scheduled || s == Queued || s == Retrying }

// Running says whether a node holds the job.
func (s Status) Running() bool { return s == Processing || s == Cancelling }

// MarshalText implements encoding.TextMarshaler.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Status) UnmarshalText(text []byte) error {
	parsed, err := ParseStatus(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// ParseStatus reads a status's name.
func ParseStatus(name string) (Status, error) {
	for i, known := range statusNames {
		if i > 0 && known == name {
			return Status(i), nil
		}
	}
	return 0, fmt.Errorf("status %.40q: unknown", name)
}
