package job

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestStatusText(t *testing.T) {
	for _, s := range Statuses {
		text, err := s.MarshalText()
		var read Status
		if err != nil || read.UnmarshalText(text) != nil || read != s {
			t.Errorf("%s: %q, %v, read as %s", s, text, err, read)
		}
		if n := btoi(s.Terminal()) + btoi(s.Waiting()) + btoi(s.Running()); n != 1 {
			t.Errorf("%s is %d of terminal, waiting and running", s, n)
		}
	}
	for _, name := range []string{"", "Queued", "queued ", "status(0)", "unknown"} {
		if s, err := ParseStatus(name); err == nil {
			t.Errorf("%q was read as %s", name, s)
		}
	}
	if got := Status(0).String() + Status(99).String(); got != "status(0)status(99)" {
		t.Error(got)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestDurationJSON(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`"1.5s"`: 1500 * time.Millisecond, `"2h"`: 2 * time.Hour, `"-3ms"`: -3 * time.Millisecond, `"0s"`: 0, `0`: 0, `1.5`: 1500 * time.Millisecond,
		`0.29`: 290 * time.Millisecond, `1e3`: 1000 * time.Second, `-2`: -2 * time.Second, `1e9`: 1e9 * time.Second, `null`: time.Minute,
	} {
		d := Duration(time.Minute) // a null leaves it
		if err := json.Unmarshal([]byte(text), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{`""`, `"1"`, `"soon"`, `1e10`, `-1e300`, `true`, `{}`, `[1]`, `"1e9h"`} {
		var d Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s was read as %s", text, d)
		}
	}
	for _, text := range []string{``, `"`, `NaN`, `Inf`, `1s`} { // what no JSON decoder hands over
		if err := new(Duration).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	for _, d := range []time.Duration{0, 1, time.Second, -time.Hour, math.MaxInt64, math.MinInt64} {
		data, err := json.Marshal(Duration(d))
		var read Duration
		if err != nil || json.Unmarshal(data, &read) != nil || time.Duration(read) != d {
			t.Errorf("%s: written as %s, %v, read as %s", d, data, err, read)
		}
	}
}

func TestID(t *testing.T) {
	if got := sampleID.Time(); !got.Equal(time.UnixMilli(0x0195a1b2c3d4)) {
		t.Errorf("time %s", got)
	}
	if (ID{}).IsZero() == sampleID.IsZero() {
		t.Error("zero")
	}
	ids := []ID{{2}, {1, 255}, {1}, {}}
	slices.SortFunc(ids, ID.Compare)
	if !slices.Equal(ids, []ID{{}, {1}, {1, 255}, {2}}) || sampleID.Compare(sampleID) != 0 {
		t.Errorf("order %v", ids)
	}
	if id := mustID(strings.ToUpper(sampleID.String())); id != sampleID {
		t.Error("upper case is another id")
	}
}

// What is read as an id has one spelling, and is read from it again; nothing else is an id.
func FuzzParseID(f *testing.F) {
	text := sampleID.String()
	for _, seed := range []string{text, strings.ToUpper(text), "{" + text + "}", "urn:uuid:" + text, strings.ReplaceAll(text, "-", ""), "", text[:35] + "g", text[:8] + "_" + text[9:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			if len(err.Error()) > 300 || !id.IsZero() {
				t.Errorf("%q: %v, %v", s, id, err)
			}
			return
		}
		if id.String() != strings.ToLower(s) {
			t.Errorf("%q is spelt %s", s, id)
		}
		var read ID
		if err := read.UnmarshalText([]byte(id.String())); err != nil || read != id {
			t.Errorf("%s: read again as %s, %v", id, read, err)
		}
	})
}

func TestValidName(t *testing.T) {
	for _, s := range []string{"a", "A9", "video.generate", "a_b-c.d", "0", strings.Repeat("x", MaxName)} {
		if !ValidName(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", ".", "..", "-a", "_a", ".a", "a b", "a/b", "a:b", "é", "a\x00", "a\n", "{a}", "a*", strings.Repeat("x", MaxName+1)} {
		if ValidName(s) {
			t.Errorf("%q is allowed", s)
		}
	}
}

func TestClock(t *testing.T) {
	zone := time.FixedZone("", -5*3600-1)
	for _, at := range []time.Time{
		{},
		noon, noon.Add(1), noon.Add(999), noon.Add(1000), noon.In(zone).Add(1999), time.Now(), time.Now().In(zone),
		time.Unix(0, -1), time.Unix(-1, 999_999_999), time.Date(-4, 5, 6, 7, 8, 9, 10_011, zone), time.Unix(1<<40, 1),
	} {
		got := clock(at)
		if want := at.UTC().Truncate(time.Microsecond); got != want { // also the same form: no zone, no monotonic reading
			t.Errorf("%s: %#v, want %#v", at, got, want)
		}
		if clock(got) != got {
			t.Errorf("%s: a second time %#v", at, clock(got))
		}
	}
}
