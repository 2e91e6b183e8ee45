package postgres

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// line is a transition as job_events keeps it: times in microseconds, and left out what its rev tells or most have alike.
type line struct {
	Rev     int64        `json:"rev"`
	At      int64        `json:"at"`
	Event   string       `json:"event"`
	Status  job.Status   `json:"status"`
	Life    *int         `json:"life"`    // 1 if left out
	Token   *int64       `json:"token"`   // the rev's if left out
	Attempt int          `json:"attempt"` // 0 if left out
	Node    string       `json:"node"`
	Note    string       `json:"note"`
	Failure *job.Failure `json:"failure"`
	RunAt   *int64       `json:"run_at"`
}

// appendLines writes what line reads. Each job that runs has some, so it does without reflection.
func appendLines(b []byte, history []job.Transition) ([]byte, error) {
	b = append(b, '[')
	for i := range history {
		t := &history[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"rev":`...), t.Rev, 10)
		b = strconv.AppendInt(append(b, `,"at":`...), t.At.UnixMicro(), 10)
		if !utf8.ValidString(t.Event) || !utf8.ValidString(t.Node) || !utf8.ValidString(t.Note) {
			return nil, errNotText
		}
		b = appendText(append(b, `,"event":`...), t.Event)
		b = append(append(append(b, `,"status":"`...), t.Status.String()...), '"')
		if t.Life != 1 {
			b = strconv.AppendInt(append(b, `,"life":`...), int64(t.Life), 10)
		}
		if t.Token != t.Rev/job.RevsPerToken {
			b = strconv.AppendInt(append(b, `,"token":`...), t.Token, 10)
		}
		if t.Attempt != 0 {
			b = strconv.AppendInt(append(b, `,"attempt":`...), int64(t.Attempt), 10)
		}
		if t.Node != "" {
			b = appendText(append(b, `,"node":`...), t.Node)
		}
		if t.Note != "" {
			b = appendText(append(b, `,"note":`...), t.Note)
		}
		if f := t.Failure; f != nil {
			if !utf8.ValidString(f.Code) || !utf8.ValidString(f.Message) || !utf8.ValidString(f.Fingerprint) || !utf8.ValidString(f.Stack) {
				return nil, errNotText
			}
			doc, err := json.Marshal(f)
			if err != nil {
				return nil, err
			}
			b = append(append(b, `,"failure":`...), doc...)
		}
		if !t.RunAt.IsZero() {
			b = strconv.AppendInt(append(b, `,"run_at":`...), t.RunAt.UnixMicro(), 10)
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// appendText writes a JSON string.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			doc, _ := json.Marshal(s) // a string always has a form
			return append(b, doc...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// decodeLines reads what appendLines wrote, after the transitions already read.
func decodeLines(history []job.Transition, doc []byte) ([]job.Transition, error) {
	var lines []line
	if err := json.Unmarshal(doc, &lines); err != nil {
		return nil, fmt.Errorf("decode lines of history: %w", err)
	}
	for _, l := range lines {
		t := job.Transition{
			Rev: l.Rev, At: time.UnixMicro(l.At).UTC(), Event: l.Event, Status: l.Status, Life: 1, Attempt: l.Attempt,
			Token: l.Rev / job.RevsPerToken, Node: l.Node, Note: l.Note, Failure: l.Failure,
		}
		if l.Life != nil {
			t.Life = *l.Life
		}
		if l.Token != nil {
			t.Token = *l.Token
		}
		if l.RunAt != nil {
			t.RunAt = time.UnixMicro(*l.RunAt).UTC()
		}
		history = append(history, t)
	}
	return history, nil
}
