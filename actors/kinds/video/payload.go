package video

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/kinds/video/clip"
	"github.com/meta-ad-studio/troupe/actors/kinds/video/fetch"
)

// Bounds of a payload.
const (
	MaxPrompt       = 2000 // characters
	DefaultDuration = 6 * time.Second
)

// Embedded is the one provider known here: it renders on the node itself.
const Embedded = "embedded"

// Payload is what a video.generate job asks for.
type Payload struct {
	// Prompt is the text of the clip: 1 to MaxPrompt characters without the space around it. Its first sentence is the headline.
	Prompt string `json:"prompt"`
	// ImageURL is the http or https address of a picture to show behind the text; empty for moving colour.
	ImageURL string `json:"imageUrl,omitempty"`
	// Provider makes the clip; empty is Embedded.
	Provider string `json:"provider,omitempty"`
	// Duration is in seconds, 2 to 30; 0 is DefaultDuration.
	Duration float64 `json:"duration,omitempty"`
}

// FieldError says which field of a payload is wrong, and why. Both are fit for the person who wrote it.
type FieldError struct{ Field, Reason string }

// Error is "field: reason".
func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// ParsePayload reads a payload, fills in what it leaves out and refuses what is out of bounds: always with a *FieldError.
// What it accepts needs no further check.
func ParsePayload(data json.RawMessage) (Payload, error) {
	var given struct {
		Payload
		Duration *float64 `json:"duration"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		return Payload{}, explained(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return Payload{}, &FieldError{"payload", "something follows the object"}
	}
	p := given.Payload
	p.Duration = DefaultDuration.Seconds()
	if given.Duration != nil {
		p.Duration = *given.Duration
	}
	if p.Provider == "" {
		p.Provider = Embedded
	}
	p.Prompt, p.ImageURL = strings.TrimSpace(p.Prompt), strings.TrimSpace(p.ImageURL)
	if err := p.check(); err != nil {
		return Payload{}, err
	}
	return p, nil
}

func (p *Payload) check() error {
	low, high := clip.MinDuration.Seconds(), clip.MaxDuration.Seconds()
	switch n := utf8.RuneCountInString(p.Prompt); {
	case p.Prompt == "":
		return &FieldError{"prompt", "is missing or empty"}
	case n > MaxPrompt:
		return &FieldError{"prompt", fmt.Sprintf("has %d characters, at most %d", n, MaxPrompt)}
	case !clip.Visible(clip.Clean(p.Prompt)):
		return &FieldError{"prompt", "has no visible character"}
	case p.Provider != Embedded:
		return &FieldError{"provider", fmt.Sprintf("%.40q is not known here; known: %q", p.Provider, Embedded)}
	case !(p.Duration >= low && p.Duration <= high):
		return &FieldError{"duration", fmt.Sprintf("is %g seconds, want %g to %g", p.Duration, low, high)}
	}
	if p.ImageURL != "" {
		if _, err := fetch.ParseURL(p.ImageURL); err != nil {
			return &FieldError{"imageUrl", err.Error()}
		}
	}
	return nil
}

// length is the duration, to the millisecond.
func (p *Payload) length() time.Duration {
	return time.Duration(p.Duration*1000+0.5) * time.Millisecond
}

// explained puts a decoder's complaint in the words of the one who wrote the payload.
func explained(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		want := map[string]string{"string": "text", "float64": "a number"}[wrong.Type.String()]
		if wrong.Field == "" || want == "" {
			return &FieldError{"payload", "is " + wrong.Value + ", want an object"}
		}
		field := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:]
		return &FieldError{field, "is " + wrong.Value + ", want " + want}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &FieldError{strings.Trim(name, `"`), "is unknown; known: prompt, imageUrl, provider, duration"}
	}
	return &FieldError{"payload", "is not JSON: " + err.Error()}
}
