package job

import (
	"encoding/json"
	"fmt"
	"time"
)

// envelope is what an inbox keeps of a job: all that was asked, and nothing of what became of it.
type envelope struct {
	ID       ID              `json:"id"`
	Kind     string          `json:"kind"`
	Queue    string          `json:"queue"`
	Priority int             `json:"priority,omitempty"`
	Payload  json.RawMessage `json:"payload,omitempty"`
	Owner    string          `json:"owner,omitempty"`
	Tags     []string        `json:"tags,omitempty"`
	Group    string          `json:"group,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	Policy   Policy          `json:"policy"`
	Created  int64           `json:"created"` // microseconds since 1970
	RunAt    int64           `json:"run_at"`
}

// EncodeEnvelope is the job as it travels through an inbox: valid JSON, of what was asked only.
func EncodeEnvelope(j *Job) ([]byte, error) {
	data, err := json.Marshal(envelope{
		ID: j.ID, Kind: j.Kind, Queue: j.Queue, Priority: j.Priority, Payload: j.Payload, Owner: j.Owner, Tags: j.Tags,
		Group: j.Group, Batch: j.Batch, Policy: j.Policy, Created: j.Created.UnixMicro(), RunAt: j.RunAt.UnixMicro(),
	})
	if err != nil {
		return nil, fmt.Errorf("encode job %s: %w", j.ID, err)
	}
	return data, nil
}

// DecodeEnvelope is the inverse of EncodeEnvelope: the job as it was accepted, in its first life, before any claim.
func DecodeEnvelope(data []byte) (Job, error) {
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return Job{}, fmt.Errorf("decode an envelope of %d bytes: %w", len(data), err)
	}
	created, runAt := time.UnixMicro(e.Created).UTC(), time.UnixMicro(e.RunAt).UTC()
	return New(Spec{
		ID: e.ID, Kind: e.Kind, Queue: e.Queue, Priority: e.Priority, Payload: e.Payload, Owner: e.Owner, Tags: e.Tags,
		Group: e.Group, Batch: e.Batch, Policy: e.Policy, RunAt: runAt,
	}, created), nil
}
