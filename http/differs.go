package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// differs names the fields in which an order asks for something else than the first one with its key did: at most
// maxDiffers. The first is known as the job that it became, its defaults filled in; so what the order leaves to its
// defaults is not compared.
func differs(first *job.Job, o order) []string {
	var names []string
	note := func(name string, differ bool) {
		if differ && len(names) < maxDiffers {
			names = append(names, name)
		}
	}
	note("kind", o.Kind != first.Kind)
	note("queue", o.Queue != "" && o.Queue != first.Queue)
	note("priority", o.Priority != nil && *o.Priority != first.Priority)
	differingPaths("payload", first.Payload, o.Payload, note)
	note("owner", o.Owner != "" && o.Owner != first.Owner)
	note("tags", !slices.Equal(o.Tags, first.Tags))
	note("group", o.Group != first.Group)
	note("batch", o.Batch != first.Batch)
	note("max_attempts", o.Policy.MaxAttempts != 0 && o.Policy.MaxAttempts != first.Policy.MaxAttempts)
	note("max_crashes", o.Policy.MaxCrashes != 0 && o.Policy.MaxCrashes != first.Policy.MaxCrashes)
	note("backoff.base", o.Policy.Backoff.Base != 0 && o.Policy.Backoff.Base != first.Policy.Backoff.Base)
	note("backoff.max", o.Policy.Backoff.Max != 0 && o.Policy.Backoff.Max != first.Policy.Backoff.Max)
	note("timeout", o.Policy.Timeout != 0 && o.Policy.Timeout != first.Policy.Timeout)
	// The due time of a job that has run may be that of its last retry: only a first life that has not begun can be compared.
	if first.Attempt == 0 {
		note("run_at", !o.RunAt.IsZero() && !o.RunAt.Truncate(time.Microsecond).Equal(first.RunAt) && o.RunAt.After(first.Created))
		waits := first.RunAt.Sub(first.Created)
		note("delay", o.Delay > 0 && (waits-o.Delay).Abs() > 2*time.Second || o.Delay == 0 && o.RunAt.IsZero() && waits > 0)
	}
	return names
}

func differingPaths(path string, a, b json.RawMessage, note func(string, bool)) {
	left, errLeft := decodeAny(a)
	right, errRight := decodeAny(b)
	if errLeft != nil || errRight != nil {
		note(path, string(a) != string(b))
		return
	}
	walk(path, left, right, note)
}

func walk(path string, a, b any, note func(string, bool)) {
	switch left := a.(type) {
	case map[string]any:
		right, ok := b.(map[string]any)
		if !ok {
			break
		}
		union := maps.Clone(left)
		maps.Copy(union, right)
		for _, key := range slices.Sorted(maps.Keys(union)) {
			x, inLeft := left[key]
			y, inRight := right[key]
			if sub := path + "." + key; inLeft != inRight {
				note(sub, true)
			} else {
				walk(sub, x, y, note)
			}
		}
		return
	case []any:
		right, ok := b.([]any)
		if !ok || len(left) != len(right) {
			break
		}
		for i := range left {
			walk(fmt.Sprintf("%s[%d]", path, i), left[i], right[i], note)
		}
		return
	}
	x, _ := json.Marshal(a) // decoded from JSON: it can be encoded
	y, _ := json.Marshal(b)
	note(path, string(x) != string(y))
}
