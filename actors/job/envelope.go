package job

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// envelope is what an inbox keeps of a job: all that was asked, and nothing of what became of it. EncodeEnvelope writes the
// members in this order, without space between them. Whoever reads takes them in any order, and ignores those it doesn't know.
type envelope struct {
	Form     int             `json:"form,omitempty"` // comes first where it is there; see EnvelopeForm
	ID       ID              `json:"id"`
	Kind     string          `json:"kind"`
	Queue    string          `json:"queue"`
	Priority int             `json:"priority,omitempty"`
	Owner    string          `json:"owner,omitempty"`
	Tags     []string        `json:"tags,omitempty"`
	Group    string          `json:"group,omitempty"`
	Batch    string          `json:"batch,omitempty"`
	Policy   Policy          `json:"policy"`
	Created  int64           `json:"created"` // microseconds since 1970
	RunAt    int64           `json:"run_at"`
	Size     int             `json:"size,omitempty"` // of the payload as it stands here, in bytes: it need not be read to be passed over
	Payload  json.RawMessage `json:"payload,omitempty"`
}

// EnvelopeForm is the newest form of envelopes that this build reads, and the one that it writes. The first form does not name itself.
// An envelope of any later one begins with the member form, so that whoever is older sees, without reading on, that it is not for them. A
// form is new only if an older reader would get the job wrong: members that it may ignore need none.
const EnvelopeForm = 1

// formPrefix is how envelopes begin that name their form.
var formPrefix = []byte(`{"form":`)

// FormOf is the form that an envelope names itself. It does not read further.
func FormOf(data []byte) int {
	if !bytes.HasPrefix(data, formPrefix) {
		return 1
	}
	form := 0
	for _, c := range data[len(formPrefix):] {
		if c < '0' || c > '9' || form > maxForm {
			break
		}
		form = 10*form + int(c-'0')
	}
	return max(min(form, maxForm), 1)
}

// maxForm bounds what is taken for a form.
const maxForm = 1_000_000

// usualEnvelope is the room that most envelopes need besides their payload, in bytes.
const usualEnvelope = 384

// EncodeEnvelope is the job as it travels through an inbox: valid JSON, of what was asked only. It refuses a payload that is not
// JSON.
func EncodeEnvelope(j *Job) ([]byte, error) {
	e := encoder{b: append(make([]byte, 0, usualEnvelope+len(j.Payload)), `{"id":"`...)}
	e.b, _ = j.ID.AppendText(e.b)
	e.text(`","kind":`, j.Kind)
	e.text(`,"queue":`, j.Queue)
	e.intIfAny(`,"priority":`, int64(j.Priority))
	e.textIfAny(`,"owner":`, j.Owner)
	e.texts(`,"tags":`, j.Tags)
	e.textIfAny(`,"group":`, j.Group)
	e.textIfAny(`,"batch":`, j.Batch)
	e.policy(`,"policy":`, &j.Policy)
	e.int(`,"created":`, j.Created.UnixMicro())
	e.int(`,"run_at":`, j.RunAt.UnixMicro())
	e.sized(`,"size":`, `,"payload":`, j.Payload)
	data, err := e.end()
	if err != nil {
		return nil, fmt.Errorf("encode job %s: %w", j.ID, err)
	}
	return data, nil
}

// sized adds a raw value, and before it how many bytes it takes.
func (e *encoder) sized(sizeKey, key string, value json.RawMessage) {
	if len(value) == 0 {
		return
	}
	e.b = append(e.b, sizeKey...)
	at := len(e.b)
	e.rawIfAny(key, value)
	var digits [20]byte
	e.b = slices.Insert(e.b, at, strconv.AppendInt(digits[:0], int64(len(e.b)-at-len(key)), 10)...)
}

func (e *encoder) policy(key string, p *Policy) {
	e.b = append(e.b, key...)
	e.int(`{"max_attempts":`, int64(p.MaxAttempts))
	e.int(`,"max_crashes":`, int64(p.MaxCrashes))
	e.duration(`,"backoff":{"base":"`, p.Backoff.Base)
	e.duration(`","max":"`, p.Backoff.Max)
	e.b = append(e.b, `"}`...)
	if p.Timeout != 0 {
		e.duration(`,"timeout":"`, p.Timeout)
		e.b = append(e.b, '"')
	}
	e.b = append(e.b, '}')
}

func (e *encoder) duration(key string, d Duration) {
	e.b = append(append(e.b, key...), d.String()...)
}

// DecodeEnvelope is the inverse of EncodeEnvelope: the job as it was accepted, in its first life, before any claim. The job
// shares nothing with the data. A payload whose size is told is taken as it stands.
func DecodeEnvelope(data []byte) (Job, error) {
	var e envelope
	if !e.scan(data) {
		var err error
		if e, err = parseEnvelope(data); err != nil {
			return Job{}, err
		}
	}
	created, runAt := time.UnixMicro(e.Created).UTC(), time.UnixMicro(e.RunAt).UTC()
	return New(Spec{
		ID: e.ID, Kind: e.Kind, Queue: e.Queue, Priority: e.Priority, Payload: e.Payload, Owner: e.Owner, Tags: e.Tags,
		Group: e.Group, Batch: e.Batch, Policy: e.Policy, RunAt: runAt,
	}, created), nil
}

// parseEnvelope reads an envelope of any form.
func parseEnvelope(data []byte) (envelope, error) {
	var e envelope
	if form := FormOf(data); form > EnvelopeForm {
		return envelope{}, fmt.Errorf("decode an envelope: it is of form %d, and this build reads up to %d", form, EnvelopeForm)
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return envelope{}, fmt.Errorf("decode an envelope of %d bytes: %w", len(data), err)
	}
	return e, nil
}
