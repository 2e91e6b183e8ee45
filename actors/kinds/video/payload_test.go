package video

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestParsePayload(t *testing.T) {
	p, err := ParsePayload(json.RawMessage(`{"prompt":"  Hi 😀  ","imageUrl":null}`))
	if err != nil || p != (Payload{Prompt: "Hi 😀", Provider: Embedded, Duration: 6}) || p.length() != DefaultDuration {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = ParsePayload(json.RawMessage(`{"prompt":"Hi","imageUrl":"https://example.com/a.png","provider":"embedded","duration":2.5}`))
	if err != nil || p.length() != 2500*time.Millisecond || p.ImageURL == "" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err = ParsePayload(json.RawMessage(`{"prompt":"` + strings.Repeat("😀", MaxPrompt) + `"}`)); err != nil {
		t.Error(err)
	}
}

func TestParsePayloadNamesTheField(t *testing.T) {
	for text, want := range map[string]string{
		``:                          "payload",
		`null`:                      "prompt: is missing",
		`[]`:                        "payload: is array, want an object",
		`"x"`:                       "payload",
		`{"prompt":"a"`:             "payload: is not JSON",
		`{"prompt":"a"} {}`:         "payload: something follows",
		`{}`:                        "prompt: is missing",
		`{"prompt":""}`:             "prompt: is missing",
		`{"prompt":" \n\t "}`:       "prompt: is missing",
		`{"prompt":"\u0000\u0007"}`: "prompt: has no visible",
		`{"prompt":"\u200b\u200d"}`: "prompt: has no visible",
		`{"prompt":7}`:              "prompt: is number, want text",
		`{"prompt":["a"]}`:          "prompt: is array",
		`{"prompt":"` + strings.Repeat("é", MaxPrompt+1) + `"}`: "prompt: has 2001 characters",
		`{"prompt":"a","duration":1.9}`:                         "duration: is 1.9 seconds, want 2 to 30",
		`{"prompt":"a","duration":31}`:                          "duration",
		`{"prompt":"a","duration":0}`:                           "duration",
		`{"prompt":"a","duration":-3}`:                          "duration",
		`{"prompt":"a","duration":1e400}`:                       "duration",
		`{"prompt":"a","duration":"6"}`:                         "duration: is string, want a number",
		`{"prompt":"a","provider":"runway"}`:                    `provider: "runway" is not known here; known: "embedded"`,
		`{"prompt":"a","imageUrl":"file:///etc/passwd"}`:        "imageUrl: want an http",
		`{"prompt":"a","imageUrl":"http://2130706433/"}`:        "imageUrl: host",
		`{"prompt":"a","imageUrl":"http://u:p@example.com/"}`:   "imageUrl: an address with a user",
		`{"prompt":"a","imageUrl":7}`:                           "imageUrl: is number, want text",
		`{"prompt":"a","size":"4k"}`:                            "size: is unknown; known: prompt",
	} {
		_, err := ParsePayload(json.RawMessage(text))
		if _, ok := errors.AsType[*FieldError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
}

func FuzzParsePayload(f *testing.F) {
	f.Add(`{"prompt":"a","duration":3}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePayload(json.RawMessage(text))
		if err != nil {
			if _, ok := errors.AsType[*FieldError](err); !ok {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if q, err := ParsePayload(again); err != nil || q != p {
			t.Errorf("%+v, again %+v, %v", p, q, err)
		}
	})
}
