package httpapi

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// FuzzFrame: whatever a handler, an error or a client puts into a text, the frame carries it whole, and only it.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		"", "plain", "a\nb", "a\r\nb", "a\rb\r", "\n\n", "\x00", "\u2028\u2029", "\uFEFFbom", "\xff\xfe", "data: x\n\nevent: job\n",
		"id: 1", ": comment", " lead", strings.Repeat("x", 5000), "</script><!--", "\r\n\r\nevent: end\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		encoded, err := json.Marshal(map[string]string{"message": text})
		if err != nil {
			t.Fatal(err)
		}
		var wire []byte
		wire = appendRetry(wire, 1500e6)
		wire = appendFrame(wire, "E-1", eventJob, encoded)
		wire = appendFrame(wire, "", eventFault, []byte(text)) // raw, as no caller does it
		wire = appendFrame(wire, "E-2", eventEnd, []byte("{}"))
		p := newParser(bytes.NewReader(wire))

		first, err := p.next()
		if err != nil || first.id != "E-1" || first.name != eventJob {
			t.Fatalf("first frame: %+v, %v", first, err)
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(first.data), &back); err != nil {
			t.Fatal(err)
		}
		if !sameText(back["message"], text) {
			t.Errorf("%q came back as %q", text, back["message"])
		}
		second, err := p.next()
		lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		if err != nil || second.id != "E-1" || second.name != eventFault || !sameText(second.data, lines) {
			t.Errorf("raw %q came back as %+v, %v", text, second, err)
		}
		third, err := p.next()
		if err != nil || third != (event{"E-2", eventEnd, "{}"}) {
			t.Errorf("last frame: %+v, %v", third, err)
		}
		if extra, err := p.next(); err != io.EOF {
			t.Errorf("an event nobody sent: %+v, %v", extra, err)
		}
	})
}

// sameText compares up to how many replacement characters stand for a run of invalid bytes, in which decoders differ.
func sameText(a, b string) bool {
	clean := func(s string) string { return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\uFFFD", "") }
	return clean(a) == clean(b)
}
