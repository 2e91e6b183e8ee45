package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// readBody reads at most limit bytes of JSON text. Any plain type is taken, because "curl -d" says it sends a form; what is
// certainly something else is refused.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if coding := r.Header.Get("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, refuse("unsupported_type", "Content-Encoding %.40q: send the body as it is", coding)
	}
	if err := checkType(r.Header.Get("Content-Type")); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return nil, err
		}
		return nil, refuse("bad_request", "the body broke off: %s", err)
	}
	// The deadline was for reading: left in place, it would cut off an answer that takes longer.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	if !utf8.Valid(body) {
		return nil, refuse("bad_request", "the body is not valid UTF-8")
	}
	return body, nil
}

func checkType(header string) error {
	if header == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(header)
	if err != nil {
		return refuse("unsupported_type", "Content-Type %.80q", header)
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refuse("unsupported_type", "charset %.40q: want UTF-8", charset)
	}
	switch media {
	case "application/json", "application/x-www-form-urlencoded", "text/plain", "text/json", "application/octet-stream",
		"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines":
		return nil
	}
	if strings.HasSuffix(media, "+json") {
		return nil
	}
	return refuse("unsupported_type", "Content-Type %.80q: want application/json", media)
}

// fields says how each field of an object is read. A reader's error is completed with the field's path.
type fields map[string]func(raw json.RawMessage) error

// readObject reads an object strictly: every field must be known, in this very spelling. Null counts as absent. Path names the
// object in errors; empty for the body.
func readObject(raw []byte, path string, known fields) error {
	if err := checkDepth(raw); err != nil {
		return err
	}
	var got map[string]json.RawMessage
	if err := json.Unmarshal(raw, &got); err != nil || got == nil {
		where := path
		if where == "" {
			where = "the body"
		}
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return refuse("bad_request", "%s is not JSON: %s at byte %d", where, syntax, syntax.Offset)
		}
		return refuse("invalid", "%s: want a JSON object", where)
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		read, ok := known[name]
		if !ok {
			return refuse("invalid", "unknown field %.80q; known are %s", join(path, name), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if string(got[name]) == "null" {
			continue
		}
		if err := read(got[name]); err != nil {
			if own, ok := errors.AsType[*refusal](err); ok && own.code != "invalid" {
				return own
			} else if ok {
				return refuse("invalid", "%s", own.detail)
			}
			return refuse("invalid", "%s: %s", join(path, name), err)
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// checkDepth bounds the nesting, so that nothing that walks the value later can be driven deep.
func checkDepth(raw []byte) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return refuse("invalid", "nested deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// text reads a string of at most limit bytes.
func text(dst *string, limit int) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if err := json.Unmarshal(raw, dst); err != nil {
			return errors.New("want a string")
		}
		if len(*dst) > limit {
			return fmt.Errorf("%d bytes, at most %d", len(*dst), limit)
		}
		return nil
	}
}

// flag reads a boolean.
func flag(dst *bool) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if err := json.Unmarshal(raw, dst); err != nil {
			return errors.New("want true or false")
		}
		return nil
	}
}

// number reads a whole number.
func number(dst *int) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if err := json.Unmarshal(raw, dst); err != nil {
			return errors.New("want a whole number")
		}
		return nil
	}
}

// moment reads a time (RFC 3339).
func moment(dst *time.Time) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		if err := json.Unmarshal(raw, dst); err != nil {
			return errors.New("want a time such as 2026-01-02T15:04:05Z")
		}
		return nil
	}
}
