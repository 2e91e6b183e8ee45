package redis

import (
	"strings"
	"testing"
)

// TestScriptsSayWhatTheyDo holds each script to its header, and to its stance towards a full server.
func TestScriptsSayWhatTheyDo(t *testing.T) {
	entries, err := files.ReadDir("lua")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(scripts) {
		t.Errorf("%d files, %d scripts are loaded", len(entries), len(scripts))
	}
	flags := map[string]string{"enqueue": "#!lua", "known": "#!lua flags=no-writes", "depth": "#!lua flags=no-writes"}
	for _, s := range scripts {
		first, rest, _ := strings.Cut(s.source, "\n")
		want, ok := flags[s.name]
		if !ok {
			want = "#!lua flags=allow-oom"
		}
		if first != want {
			t.Errorf("%s begins %q, want %q", s.name, first, want)
		}
		head, body, _ := strings.Cut(rest, "\nlocal ")
		for _, word := range []string{"-- KEYS  1 ", "-- ARGV  ", "-- Returns", "-- Atomic."} {
			if !strings.Contains(head, word) {
				t.Errorf("the header of %s has no %q", s.name, word)
			}
		}
		if strings.Contains(body, "cjson") || strings.Contains(body, "'KEYS'") {
			t.Errorf("%s does what it should not", s.name)
		}
	}
}

func TestForgottenScriptIsToldAgain(t *testing.T) {
	in := connect(t, Config{URL: startedRedis(t)}).Inbox()
	if err := in.c.rdb.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	enqueue(t, in, fresh(t, 2))
	if got := claim(t, in, 2); len(got) != 2 {
		t.Errorf("claimed %d", len(got))
	}
}
