package job

import (
	"bytes"
	"slices"
)

// scan reads an envelope of exactly the form that EncodeEnvelope writes, with names that need no escapes, and says whether it
// was one. Of any other, which an older or a newer node may have written, it leaves nothing of use.
func (e *envelope) scan(data []byte) bool {
	s := scanner{data: data}
	s.expect(`{"id":"`)
	e.ID = s.id()
	if s.bad || !s.holdNames(`,"policy":`) {
		return false
	}
	s.expect(`","kind":"`)
	e.Kind = s.name()
	s.expect(`,"queue":"`)
	e.Queue = s.name()
	if s.take(`,"priority":`) {
		e.Priority = int(s.number())
	}
	if s.take(`,"owner":"`) {
		e.Owner = s.name()
	}
	if s.take(`,"tags":["`) {
		e.Tags = s.tags()
	}
	if s.take(`,"group":"`) {
		e.Group = s.name()
	}
	if s.take(`,"batch":"`) {
		e.Batch = s.name()
	}
	s.expect(`,"policy":`)
	e.Policy = s.policy()
	s.expect(`,"created":`)
	e.Created = s.number()
	s.expect(`,"run_at":`)
	e.RunAt = s.number()
	if s.take(`,"size":`) {
		size := s.number()
		s.expect(`,"payload":`)
		e.Payload = s.raw(size)
	}
	s.expect(`}`)
	return !s.bad && s.at == len(data)
}

// scanner reads JSON of a known form from its beginning. Once something is not as expected it is bad, and stays so.
type scanner struct {
	data  []byte
	at    int    // what comes next
	names string // a copy of a part of the data, which all names share
	first int    // where the names begin
	bad   bool
}

// holdNames copies what lies ahead of the text. A name has no quote in it, so the text is not in one.
func (s *scanner) holdNames(until string) bool {
	n := bytes.Index(s.data[s.at:], []byte(until))
	if n < 0 {
		return false
	}
	s.names, s.first = string(s.data[s.at:s.at+n]), s.at
	return true
}

// take passes over the text if it comes next.
func (s *scanner) take(text string) bool {
	if s.bad || len(s.data)-s.at < len(text) || string(s.data[s.at:s.at+len(text)]) != text {
		return false
	}
	s.at += len(text)
	return true
}

func (s *scanner) expect(text string) {
	if !s.take(text) {
		s.bad = true
	}
}

func (s *scanner) id() (id ID) {
	const size = 36
	if s.bad || len(s.data)-s.at < size {
		s.bad = true
		return id
	}
	id, ok := parseID(s.data[s.at : s.at+size])
	s.at += size
	s.bad = !ok
	return id
}

// name reads up to the closing quote and passes over it.
func (s *scanner) name() string {
	from := s.at - s.first
	for i := from; i < len(s.names) && !s.bad; i++ {
		if c := s.names[i]; c == '"' {
			s.at += i + 1 - from
			return s.names[from:i]
		} else if !plain[c] {
			break
		}
	}
	s.bad = true
	return ""
}

func (s *scanner) tags() []string {
	tags := append(make([]string, 0, 4), s.name())
	for s.take(`,"`) {
		tags = append(tags, s.name())
	}
	s.expect(`]`)
	return slices.Clip(tags)
}

// number reads an integer of at most 18 digits.
func (s *scanner) number() (n int64) {
	negative := s.take(`-`)
	from := s.at
	for s.at < len(s.data) && s.data[s.at]-'0' <= 9 {
		n = n*10 + int64(s.data[s.at]-'0') // wraps only where it is refused below
		s.at++
	}
	if digits := s.at - from; digits == 0 || digits > 18 || digits > 1 && s.data[from] == '0' {
		s.bad = true
	}
	if negative {
		return -n
	}
	return n
}

// raw copies a value of the given size, which is not looked into.
func (s *scanner) raw(size int64) []byte {
	if s.bad || size < 1 || size > int64(len(s.data)-s.at) {
		s.bad = true
		return nil
	}
	from := s.at
	s.at += int(size)
	return bytes.Clone(s.data[from:s.at])
}

func (s *scanner) policy() (p Policy) {
	if s.bad {
		return p
	}
	p, size, ok := policyAhead(s.data[s.at:], `,"created":`)
	s.at += size
	s.bad = !ok
	return p
}
