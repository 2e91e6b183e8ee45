package job

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestOutcome(t *testing.T) {
	boom := errors.New("boom")
	deep := func(err error) error { return fmt.Errorf("render: %w", fmt.Errorf("frame 7: %w", err)) }
	for name, c := range map[string]struct {
		err        error
		permanent  bool
		retryAfter time.Duration
		code, text string
	}{
		"plain":                     {boom, false, 0, CodeError, "boom"},
		"permanent":                 {Permanent(boom), true, 0, CodePermanent, "boom"},
		"permanent, deep":           {deep(Permanent(boom)), true, 0, CodePermanent, "render: frame 7: boom"},
		"permanent, joined":         {errors.Join(boom, Permanent(boom)), true, 0, CodePermanent, "boom\nboom"},
		"retry after, deep":         {deep(RetryAfter(time.Minute, boom)), false, time.Minute, CodeError, "render: frame 7: boom"},
		"retry after and permanent": {Permanent(deep(RetryAfter(time.Minute, boom))), true, time.Minute, CodePermanent, "render: frame 7: boom"},
		"retry after nothing":       {RetryAfter(time.Minute, nil), false, time.Minute, CodeError, "asked to retry after 1m0s"},
	} {
		e, ok := Outcome([]byte(`1`), c.err, 0.25).(AttemptFailed)
		if !ok || e.Permanent != c.permanent || e.RetryAfter != c.retryAfter || e.Jitter != 0.25 || e.Failure.Code != c.code || e.Failure.Message != c.text {
			t.Errorf("%s: %+v %+v", name, e, e.Failure)
		}
	}
	if e, ok := Outcome(nil, deep(Snooze(time.Hour)), 0).(Snoozed); !ok || e.Delay != time.Hour {
		t.Errorf("snooze, deep: %+v", e)
	}
	if e, ok := Outcome([]byte(`{"n":1}`), Permanent(nil), 0).(Succeeded); !ok || string(e.Result) != `{"n":1}` {
		t.Errorf("no error: %+v", e)
	}
	if !errors.Is(deep(Permanent(boom)), boom) || !errors.Is(deep(RetryAfter(1, boom)), boom) {
		t.Error("a marked error hides what it marks")
	}
}

func TestFingerprint(t *testing.T) {
	alike := [][]string{
		{"provider said 503 after 12.5s", "provider said 429 after 3s", "provider said 500 after 100ms"},
		{
			"job 0195a1b2-c3d4-7e5f-8a6b-0123456789ab not found", // groups of a UUID may be letters only
			"job 0195a1b2-abcd-7e5f-abcd-0123456789ab not found",
			"job 12 not found",
		},
		{"dial tcp 10.0.0.1:5432: connection refused", "dial tcp 10.20.30.40:6379: connection refused"},
		{"bad byte \xff in 1", "bad byte \xfe\xfd in 22"},
		{"nul\x00 byte", "nul byte"},
		{"over-long " + strings.Repeat("word ", 5000) + "1", "over-long " + strings.Repeat("word ", 5000) + "12345678"},
	}
	seen := map[string]string{}
	for _, messages := range alike {
		first := NewFailure(CodeError, messages[0])
		for _, message := range messages[1:] {
			if got := NewFailure(CodeError, message).Fingerprint; got != first.Fingerprint {
				t.Errorf("%.60q and %.60q differ", messages[0], message)
			}
		}
		if other := seen[first.Fingerprint]; other != "" {
			t.Errorf("%.60q and %.60q are alike", messages[0], other)
		}
		seen[first.Fingerprint] = messages[0]
	}
	if NewFailure(CodeError, "boom").Fingerprint == NewFailure(CodePanic, "boom").Fingerprint {
		t.Error("the code does not count")
	}
}

// Whatever a handler says, a failure is bounded and any store can keep it.
func TestFailureBounds(t *testing.T) {
	for _, text := range []string{"", "\x00", "\xff\xfe", strings.Repeat("é", 10_000), strings.Repeat("\xff", 10_000), strings.Repeat("\xffx", 10_000), "a\x00\xc3"} {
		f := NewFailure(text, text).WithStack(text)
		for field, s := range map[string]struct {
			text  string
			limit int
		}{"code": {f.Code, MaxName}, "message": {f.Message, MaxFailureMessage}, "stack": {f.Stack, MaxFailureStack}} {
			if len(s.text) > s.limit || !utf8.ValidString(s.text) || strings.Contains(s.text, "\x00") {
				t.Errorf("%s of %.20q: %d bytes: %.40q", field, text, len(s.text), s.text)
			}
		}
		if len(f.Fingerprint) != 16 {
			t.Errorf("fingerprint %q", f.Fingerprint)
		}
	}
	if f := NewFailure(CodeError, strings.Repeat("x", MaxFailureMessage)); len(f.Message) != MaxFailureMessage || strings.HasSuffix(f.Message, "…") {
		t.Error("a message of exactly the bound was cut")
	}
	if f := NewFailure(CodeError, strings.Repeat("x", MaxFailureMessage+1)); !strings.HasSuffix(f.Message, "x…") {
		t.Error("a message that was cut does not say so")
	}
}
