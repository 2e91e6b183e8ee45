package persistence

import (
	"bytes"
	"encoding/json"
	"strings"
)

// PayloadMatch holds for a payload that has a text, number or boolean at a path.
type PayloadMatch struct {
	// Path is the names of members from the outermost object inwards, joined by dots. Elements of arrays have no path.
	Path string
	// Text is the value: of a text what it says, of a number or boolean how it is written. What JSON can say and text
	// can't hold (NUL, halves of surrogate pairs) counts as U+FFFD.
	Text string
}

// Holds says whether it holds. It is the rule that every driver states in its own language, and the one they are audited against. Of
// several members of one name the last counts.
func (m PayloadMatch) Holds(payload []byte) bool {
	for name := range strings.SplitSeq(m.Path, ".") {
		var members map[string]json.RawMessage
		if json.Unmarshal(payload, &members) != nil {
			return false
		}
		payload = members[name]
	}
	payload = bytes.TrimSpace(payload)
	if len(payload) == 0 {
		return false
	}
	switch payload[0] {
	case '{', '[', 'n':
		return false
	case '"':
		var text string
		return json.Unmarshal(payload, &text) == nil && strings.ReplaceAll(text, "\x00", "\uFFFD") == m.Text
	}
	return string(payload) == m.Text
}
