package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

func TestAgeIsShort(t *testing.T) {
	now := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	for ago, want := range map[time.Duration]string{
		0: "0ms", 999 * time.Millisecond: "999ms", time.Second: "1s", 119 * time.Second: "119s", 2 * time.Minute: "2m", 119 * time.Minute: "119m",
		2 * time.Hour: "2h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * 24 * time.Hour: "1000d",
		-3 * time.Second: "in 3s", -time.Hour + time.Millisecond: "in 60m",
	} {
		if got := age(now.Add(-ago), now); got != want {
			t.Errorf("%s ago: %q, want %q", ago, got, want)
		}
	}
	if got := age(time.Time{}, now); got != "" {
		t.Errorf("never: %q", got)
	}
}

// What a handler or a client wrote can't steer the terminal of whoever looks at it.
func TestTablesShowNothingThatSteersATerminal(t *testing.T) {
	var out bytes.Buffer
	table := newTable(&out, "A", "B")
	table.row("a\x1b[31mred\x07\r\n\u009bK\u202eabc", "")
	if err := table.flush(); err != nil {
		t.Fatal(err)
	}
	if want := "A                   B\na [31mred    K abc  -\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	if err := printValue(&out, "payload", []byte(`{"a":["\u001b","`+"\u009b\u202e\x7f"+`"]}`)); err != nil {
		t.Fatal(err)
	}
	if want := "\npayload\n{\n  \"a\": [\n    \"\\u001b\",\n    \"   \"\n  ]\n}\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestShortCutsCharacters(t *testing.T) {
	for s, want := range map[string]string{"": "", "abcd": "abcd", "abcde": "abc…", "äöüßé": "äöü…", "  a\n": "a"} {
		if got := short(s, 4); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func TestFailedSaysTheCodeOnlyIfItTells(t *testing.T) {
	for want, e := range map[string]job.ViewError{
		"no luck":         {Code: job.CodeError, Message: "no luck"},
		"panic: oh":       {Code: job.CodePanic, Message: "panic: oh"},
		"timeout: 3s":     {Code: job.CodeTimeout, Message: "3s"},
		"quota: used up.": {Code: "quota", Message: "used up."},
	} {
		if got := failed(&e); got != want {
			t.Errorf("%+v: %q", e, got)
		}
	}
}
