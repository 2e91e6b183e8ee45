package httpapi

import (
	"bufio"
	"io"
	"strings"
)

// event is what a browser makes of a frame.
type event struct {
	id   string // the last event id as it then is
	name string
	data string
}

// parser reads a stream as the WHATWG's "Server-sent events" says, section 9.2.6, byte for byte: lines end with CR LF, LF or CR.
type parser struct {
	r     *bufio.Reader
	retry string
	id    string
	begun bool
}

func newParser(r io.Reader) *parser { return &parser{r: bufio.NewReader(r)} }

// next reads one event.
func (p *parser) next() (event, error) {
	if !p.begun {
		p.begun = true
		if bom, err := p.r.Peek(3); err == nil && string(bom) == "\uFEFF" {
			_, _ = p.r.Discard(3)
		}
	}
	var data []string
	name, lastID := "", p.id
	for {
		line, err := p.line()
		if err != nil {
			return event{}, err // what was not dispatched is dropped
		}
		if line == "" {
			p.id = lastID
			if data == nil {
				name = ""
				continue
			}
			if name == "" {
				name = "message"
			}
			return event{p.id, name, strings.Join(data, "\n")}, nil
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "data":
			data = append(data, value)
		case "id":
			if !strings.Contains(value, "\x00") {
				lastID = value
			}
		case "retry":
			if value != "" && strings.Trim(value, "0123456789") == "" {
				p.retry = value
			}
		}
	}
}

func (p *parser) line() (string, error) {
	var line []byte
	for {
		b, err := p.r.ReadByte()
		if err != nil {
			return "", err
		}
		switch b {
		case '\n':
			return strings.ToValidUTF8(string(line), "\uFFFD"), nil
		case '\r':
			// A CR ends the line at once; an LF after it belongs to it. Waiting for it would hold the event back, so it is
			// only looked for among what has arrived.
			if p.r.Buffered() > 0 {
				if after, err := p.r.Peek(1); err == nil && after[0] == '\n' {
					_, _ = p.r.Discard(1)
				}
			}
			return strings.ToValidUTF8(string(line), "\uFFFD"), nil
		}
		line = append(line, b)
	}
}
