package job

import (
	"encoding/hex"
	"fmt"
	"time"
)

// ID names a job for ever: a UUID, version 7 (RFC 9562), so that it sorts by the millisecond of its
// creation. It reveals that time, and nothing else. Ids are made by the node that accepts a job, never by
// a server that could forget which ones it gave out.
type ID [16]byte

// IsZero says whether the id was never set.
func (id ID) IsZero() bool { return id == ID{} }

// Time is the moment the id was made, to the millisecond.
func (id ID) Time() time.Time {
	ms := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	return time.UnixMilli(ms).UTC()
}

// Compare orders ids as their bytes do, which is the order of their making: -1, 0 or 1.
func (id ID) Compare(other ID) int {
	for i := range id {
		switch {
		case id[i] < other[i]:
			return -1
		case id[i] > other[i]:
			return 1
		}
	}
	return 0
}

// String is the canonical form: 36 characters, lower case.
func (id ID) String() string {
	var buf [36]byte
	id.encode(buf[:])
	return string(buf[:])
}

// AppendText implements encoding.TextAppender.
func (id ID) AppendText(b []byte) ([]byte, error) {
	var buf [36]byte
	id.encode(buf[:])
	return append(b, buf[:]...), nil
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, ok := parseID(text)
	if !ok {
		return fmt.Errorf("job id %.40q: not a UUID", text)
	}
	*id = parsed
	return nil
}

func (id ID) encode(dst []byte) {
	hex.Encode(dst[0:8], id[0:4])
	dst[8] = '-'
	hex.Encode(dst[9:13], id[4:6])
	dst[13] = '-'
	hex.Encode(dst[14:18], id[6:8])
	dst[18] = '-'
	hex.Encode(dst[19:23], id[8:10])
	dst[23] = '-'
	hex.Encode(dst[24:36], id[10:16])
}

// ParseID reads the canonical form of a UUID, in either case, and refuses every other form (braces, URNs, no dashes):
// an id has one spelling in keys, file names and URLs.
func ParseID(s string) (ID, error) {
	id, ok := parseID(s)
	if !ok {
		return ID{}, fmt.Errorf("job id %.40q: not a UUID", s)
	}
	return id, nil
}

func parseID[T string | []byte](s T) (id ID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return ID{}, false
	}
	var digits [32]byte
	n := copy(digits[:], s[0:8])
	n += copy(digits[n:], s[9:13])
	n += copy(digits[n:], s[14:18])
	n += copy(digits[n:], s[19:23])
	copy(digits[n:], s[24:36])
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return ID{}, false
	}
	return id, true
}
