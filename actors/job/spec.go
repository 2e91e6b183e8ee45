package job

import (
	"encoding/json"
	"fmt"
	"time"
)

// Spec is a submission after its defaults were filled in.
type Spec struct {
	ID       ID
	Kind     string
	Queue    string
	Priority int
	Payload  json.RawMessage
	Owner    string
	Tags     []string
	Group    string
	Batch    string
	Policy   Policy
	RunAt    time.Time // zero or past: at once
}

// Validate says what is out of bounds at the given time, naming the field as the HTTP interface does.
func (s Spec) Validate(now time.Time) error {
	if s.ID.IsZero() {
		return fmt.Errorf("id: missing")
	}
	for _, f := range []struct {
		field, name string
		required    bool
	}{{"kind", s.Kind, true}, {"queue", s.Queue, true}, {"owner", s.Owner, false}, {"group", s.Group, false}, {"batch", s.Batch, false}} {
		if (f.required || f.name != "") && !ValidName(f.name) {
			return invalidName(f.field, f.name)
		}
	}
	if len(s.Tags) > MaxTags {
		return fmt.Errorf("tags: %d are more than %d", len(s.Tags), MaxTags)
	}
	for _, tag := range s.Tags {
		if !ValidName(tag) {
			return invalidName("tags", tag)
		}
	}
	switch {
	case s.Priority < 0 || s.Priority > MaxPriority:
		return fmt.Errorf("priority: %d is not within 0 and %d", s.Priority, MaxPriority)
	case len(s.Payload) > MaxPayload:
		return fmt.Errorf("payload: %d bytes are more than %d", len(s.Payload), MaxPayload)
	case len(s.Payload) > 0 && !json.Valid(s.Payload):
		return fmt.Errorf("payload: not JSON")
	case s.RunAt.Sub(now) > MaxDelay:
		return fmt.Errorf("run_at: %s is more than %s ahead", s.RunAt.UTC().Format(time.RFC3339), MaxDelay)
	}
	return s.Policy.Validate()
}

func invalidName(field, name string) error {
	return fmt.Errorf("%s: %.80q is not 1 to %d of the characters a-z, A-Z, 0-9, '.', '_' and '-', beginning with a letter or digit",
		field, name, MaxName)
}

// New makes the job that a valid submission asks for, at the first moment of its first life.
func New(s Spec, now time.Time) Job {
	now = clock(now)
	j := Job{
		ID: s.ID, Kind: s.Kind, Queue: s.Queue, Priority: s.Priority, Payload: s.Payload, Owner: s.Owner,
		Tags: s.Tags, Group: s.Group, Batch: s.Batch, Policy: s.Policy, Created: now,
		Life: 1, Status: Queued, Rev: 1, RunAt: now, Updated: now,
	}
	if due := clock(s.RunAt); due.After(now) {
		j.Status, j.RunAt = Scheduled, due
	}
	return j
}
