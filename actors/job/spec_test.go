package job

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSpecValidate(t *testing.T) {
	if err := sampleSpec().Validate(noon); err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("x", MaxName+1)
	for field, spoil := range map[string][]func(*Spec){
		"id":       {func(s *Spec) { s.ID = ID{} }},
		"kind":     {func(s *Spec) { s.Kind = "" }, func(s *Spec) { s.Kind = name }},
		"queue":    {func(s *Spec) { s.Queue = "" }, func(s *Spec) { s.Queue = "a{b}" }},
		"owner":    {func(s *Spec) { s.Owner = "a b" }},
		"group":    {func(s *Spec) { s.Group = ":" }},
		"batch":    {func(s *Spec) { s.Batch = "\xff" }},
		"tags":     {func(s *Spec) { s.Tags = []string{"ok", ""} }, func(s *Spec) { s.Tags = slices.Repeat([]string{"a"}, MaxTags+1) }},
		"priority": {func(s *Spec) { s.Priority = -1 }, func(s *Spec) { s.Priority = MaxPriority + 1 }},
		"payload": {
			func(s *Spec) { s.Payload = json.RawMessage(`{`) },
			func(s *Spec) { s.Payload = json.RawMessage(`"` + strings.Repeat("x", MaxPayload) + `"`) },
		},
		"run_at":       {func(s *Spec) { s.RunAt = noon.Add(MaxDelay + time.Second) }},
		"max_attempts": {func(s *Spec) { s.Policy.MaxAttempts = 0 }, func(s *Spec) { s.Policy.MaxAttempts = 101 }},
		"max_crashes":  {func(s *Spec) { s.Policy.MaxCrashes = 0 }, func(s *Spec) { s.Policy.MaxCrashes = 101 }},
		"backoff.base": {func(s *Spec) { s.Policy.Backoff.Base = 1 }, func(s *Spec) { s.Policy.Backoff.Base = Duration(2 * time.Hour) }},
		"backoff.max":  {func(s *Spec) { s.Policy.Backoff.Max = 1 }, func(s *Spec) { s.Policy.Backoff.Max = Duration(25 * time.Hour) }},
		"timeout":      {func(s *Spec) { s.Policy.Timeout = -1 }, func(s *Spec) { s.Policy.Timeout = Duration(MaxTimeout + 1) }},
	} {
		for i, change := range spoil {
			s := sampleSpec()
			change(&s)
			err := s.Validate(noon)
			if err == nil || !strings.HasPrefix(err.Error(), field+": ") || len(err.Error()) > 500 {
				t.Errorf("%s, case %d: %v", field, i, err)
			}
		}
	}
	for i, fine := range []func(*Spec){
		func(s *Spec) { s.Payload = nil },
		func(s *Spec) { s.Owner, s.Group, s.Batch, s.Tags = "", "", "", nil },
		func(s *Spec) { s.RunAt = time.Time{} },
		func(s *Spec) { s.RunAt = noon.Add(MaxDelay) },
		func(s *Spec) { s.Policy = DefaultPolicy() },
	} {
		s := sampleSpec()
		fine(&s)
		if err := s.Validate(noon); err != nil {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func TestPolicyMerge(t *testing.T) {
	if got := (Policy{}).Merge(DefaultPolicy()); got != DefaultPolicy() {
		t.Errorf("nothing said: %+v", got)
	}
	own := Policy{MaxAttempts: 7, MaxCrashes: 1, Backoff: Backoff{Base: Duration(time.Minute), Max: Duration(2 * time.Minute)}, Timeout: 5}
	if got := own.Merge(DefaultPolicy()); got != own {
		t.Errorf("all said: %+v", got)
	}
	slow := Policy{Backoff: Backoff{Base: Duration(time.Hour)}}.Merge(Policy{MaxAttempts: 1, MaxCrashes: 1, Backoff: Backoff{Base: 1, Max: Duration(time.Minute)}})
	if err := slow.Validate(); err != nil {
		t.Errorf("a base over the default ceiling: %v", err)
	}
}
