package httpapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/meta-ad-studio/troupe/actors"
	"github.com/meta-ad-studio/troupe/actors/job"
)

// order is one submission as its client wrote it: what it did not say is zero, and stays so for the node to fill in.
type order struct {
	Kind     string          `json:"kind"`
	Queue    string          `json:"queue,omitempty"`
	Priority *int            `json:"priority,omitempty"`
	Payload  json.RawMessage `json:"payload"`
	Owner    string          `json:"owner,omitempty"`
	Tags     []string        `json:"tags,omitempty"`
	Group    string          `json:"group,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	Policy   job.Policy      `json:"policy"`
	Delay    time.Duration   `json:"delay,omitempty"`
	RunAt    time.Time       `json:"run_at,omitzero"`

	key string
}

// readOrder reads the body of a submission. WithKey: the idempotency key is a field, as in a batch.
func readOrder(raw []byte, path string, withKey bool) (order, error) {
	o := order{Payload: json.RawMessage("{}")}
	known := fields{
		"kind":         name(&o.Kind),
		"queue":        name(&o.Queue),
		"owner":        name(&o.Owner),
		"group":        name(&o.Group),
		"batch":        name(&o.Batch),
		"tags":         tags(&o.Tags),
		"priority":     priority(&o.Priority),
		"payload":      payload(&o.Payload),
		"delay":        span(&o.Delay),
		"run_at":       moment(&o.RunAt),
		"max_attempts": number(&o.Policy.MaxAttempts),
		"max_crashes":  number(&o.Policy.MaxCrashes),
		"timeout":      span((*time.Duration)(&o.Policy.Timeout)),
		"backoff":      backoff(&o.Policy.Backoff, join(path, "backoff")),
	}
	if withKey {
		known["key"] = text(&o.key, maxKey)
	}
	if err := readObject(raw, path, known); err != nil {
		return order{}, err
	}
	if o.Kind == "" {
		return order{}, refuse("invalid", "%s: is needed", join(path, "kind"))
	}
	if err := checkKey(o.key); err != nil {
		return order{}, err
	}
	return o, o.check(path)
}

func (o order) check(path string) error {
	switch {
	case o.Delay > 0 && !o.RunAt.IsZero():
		return refuse("invalid", "%s: not together with run_at", join(path, "delay"))
	case o.Delay < 0 || o.Delay > job.MaxDelay:
		return refuse("invalid", "%s: %s is not within 0 and %s", join(path, "delay"), o.Delay, job.MaxDelay)
	case time.Until(o.RunAt) > job.MaxDelay:
		return refuse("invalid", "%s: more than %s ahead", join(path, "run_at"), job.MaxDelay)
	}
	said := o.Policy.Merge(job.DefaultPolicy())
	if o.Policy.Backoff.Max != 0 && o.Policy.Backoff.Base == 0 { // the base is the kind's, unknown here
		said.Backoff.Base = min(said.Backoff.Base, o.Policy.Backoff.Max)
	}
	if err := said.Validate(); err != nil {
		return refuse("invalid", "%s", join(path, err.Error()))
	}
	return nil
}

// submission is the order as the node takes it. The owner is the principal unless the order names one.
func (o order) submission(principal string, now time.Time) (actors.Submission, error) {
	s := actors.Submission{
		Kind: o.Kind, Queue: o.Queue, Priority: o.Priority, Payload: o.Payload, Owner: o.Owner, Tags: o.Tags, Group: o.Group,
		Batch: o.Batch, Policy: o.Policy, RunAt: o.RunAt, Key: o.key,
	}
	if s.Owner == "" {
		s.Owner = principal
	}
	if o.Delay > 0 {
		s.RunAt = now.Add(o.Delay)
	}
	if o.key != "" {
		fingerprint, err := o.fingerprint()
		if err != nil {
			return actors.Submission{}, err
		}
		s.Fingerprint = fingerprint
	}
	return s, nil
}

// fingerprint hashes what was asked, whatever the spelling: spaces, the order of fields and escapes make no difference. A delay counts
// as it was written, so that a repetition a second later is the same request.
func (o order) fingerprint() (string, error) {
	canonical, err := canonicalJSON(o.Payload)
	if err != nil {
		return "", err
	}
	o.Payload = canonical
	data, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("encode for the fingerprint: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// canonicalJSON writes a value with its fields sorted and without spaces, and numbers digit for digit as they were.
func canonicalJSON(raw []byte) ([]byte, error) {
	value, err := decodeAny(raw)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

func decodeAny(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("decode JSON: %w", err)
	}
	return value, nil
}

// idempotencyKey reads the header: empty if there is none.
func idempotencyKey(r *http.Request) (string, error) {
	all := r.Header.Values("Idempotency-Key")
	if len(all) == 0 {
		return "", nil
	}
	if len(all) > 1 || all[0] == "" {
		return "", refuse("bad_request", "Idempotency-Key: want one value of 1 to %d characters", maxKey)
	}
	return all[0], checkKey(all[0])
}

func checkKey(key string) error {
	if len(key) > maxKey {
		return refuse("bad_request", "idempotency key of %d characters, at most %d", len(key), maxKey)
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] > 0x7e {
			return refuse("bad_request", "idempotency key: want printable ASCII")
		}
	}
	return nil
}

// name reads a name as job.ValidName wants it.
func name(dst *string) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if err := json.Unmarshal(raw, dst); err != nil {
			return errors.New("want a string")
		}
		return checkName(*dst)
	}
}

func checkName(s string) error {
	if !job.ValidName(s) {
		return fmt.Errorf("%.80q: want 1 to %d letters, digits and . _ -, beginning with a letter or digit", s, job.MaxName)
	}
	return nil
}

func tags(dst *[]string) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if err := json.Unmarshal(raw, dst); err != nil {
			return errors.New("want an array of strings")
		}
		if len(*dst) > job.MaxTags {
			return fmt.Errorf("%d of them, at most %d", len(*dst), job.MaxTags)
		}
		for _, tag := range *dst {
			if err := checkName(tag); err != nil {
				return err
			}
		}
		return nil
	}
}

func priority(dst **int) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var p int
		if err := json.Unmarshal(raw, &p); err != nil || p < 0 || p > job.MaxPriority {
			return fmt.Errorf("want 0 (first) to %d (last)", job.MaxPriority)
		}
		*dst = &p
		return nil
	}
}

func payload(dst *json.RawMessage) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var tight bytes.Buffer
		if err := json.Compact(&tight, raw); err != nil {
			return errors.New("not JSON")
		}
		if tight.Len() > job.MaxPayload {
			return refuse("too_large", "payload of %d bytes, at most %d", tight.Len(), job.MaxPayload)
		}
		*dst = tight.Bytes()
		return nil
	}
}

func span(dst *time.Duration) func(json.RawMessage) error {
	return func(raw json.RawMessage) error { return (*job.Duration)(dst).UnmarshalJSON(raw) }
}

// backoff reads {base, max}, or the base alone.
func backoff(dst *job.Backoff, path string) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if len(raw) > 0 && raw[0] != '{' {
			return dst.Base.UnmarshalJSON(raw)
		}
		return readObject(raw, path, fields{
			"base": span((*time.Duration)(&dst.Base)), "max": span((*time.Duration)(&dst.Max)),
		})
	}
}
