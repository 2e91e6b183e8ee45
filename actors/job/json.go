package job

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// appendString adds a string byte for byte as encoding/json writes it.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, _ := json.Marshal(s) // no string is refused
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// plain are the bytes that stand for themselves in a JSON string, whoever wrote or reads it.
var plain = func() (set [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		set[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return set
}()

// encoder appends members to a JSON object. Each key is given as it stands in the text, with what comes before it and its
// colon. The first error stays.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) text(key, value string) {
	e.b = appendString(append(e.b, key...), value)
}

func (e *encoder) textIfAny(key, value string) {
	if value != "" {
		e.text(key, value)
	}
}

func (e *encoder) texts(key string, values []string) {
	for i, value := range values {
		if i == 0 {
			e.b = append(append(e.b, key...), '[')
		} else {
			e.b = append(e.b, ',')
		}
		e.b = appendString(e.b, value)
	}
	if len(values) > 0 {
		e.b = append(e.b, ']')
	}
}

func (e *encoder) int(key string, value int64) {
	e.b = strconv.AppendInt(append(e.b, key...), value, 10)
}

func (e *encoder) intIfAny(key string, value int64) {
	if value != 0 {
		e.int(key, value)
	}
}

func (e *encoder) bool(key string, value bool) {
	e.b = strconv.AppendBool(append(e.b, key...), value)
}

func (e *encoder) float(key string, value float64) {
	e.b = append(e.b, key...)
	if size := math.Abs(value); value == 0 || size >= 1e-6 && size < 1e21 {
		e.b = strconv.AppendFloat(e.b, value, 'f', -1, 64)
		return
	}
	data, err := json.Marshal(value) // has an exponent, or is not a number
	e.b = append(e.b, data...)
	e.failed(key, err)
}

func (e *encoder) time(key string, at time.Time) {
	b, err := at.AppendText(append(append(e.b, key...), '"'))
	if err != nil {
		e.failed(key, err)
		return
	}
	e.b = append(b, '"')
}

func (e *encoder) timeIfAny(key string, at time.Time) {
	if !at.IsZero() {
		e.time(key, at)
	}
}

// rawIfAny adds JSON that somebody else wrote: checked, without the space between its tokens, its HTML escaped.
func (e *encoder) rawIfAny(key string, value json.RawMessage) {
	if len(value) == 0 {
		return
	}
	e.b = append(e.b, key...)
	if escapes(value) {
		data, err := json.Marshal(value)
		e.b = append(e.b, data...)
		e.failed(key, err)
		return
	}
	buffer := bytes.NewBuffer(e.b)
	err := json.Compact(buffer, value)
	e.b = buffer.Bytes()
	e.failed(key, err)
}

// escapes says whether encoding/json may write other bytes for these, for the sake of HTML and of JavaScript.
func escapes(raw []byte) bool {
	return bytes.IndexByte(raw, '<') >= 0 || bytes.IndexByte(raw, '>') >= 0 || bytes.IndexByte(raw, '&') >= 0 ||
		bytes.Contains(raw, []byte("\u2028"[:2]))
}

func (e *encoder) failed(key string, err error) {
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("encode %s %w", bytes.Trim([]byte(key), `{,`), err)
	}
}

// end closes the object.
func (e *encoder) end() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	return append(e.b, '}'), nil
}
