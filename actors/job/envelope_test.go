package job

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyAsked is a job with anything in what was asked, also what no submission would get past the checks.
func anyAsked(t *rapid.T) Job {
	j := New(anySpec(t), noon)
	name := rapid.OneOf(rapid.StringMatching(`[a-z0-9][a-z0-9._-]{0,20}`), anyForm)
	wait := func(of string) Duration { return Duration(anyWait.Draw(t, of)) }
	copy(j.ID[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
	j.Kind, j.Queue, j.Owner = name.Draw(t, "kind"), name.Draw(t, "queue"), name.Draw(t, "owner")
	j.Group, j.Batch, j.Tags = name.Draw(t, "group"), name.Draw(t, "batch"), rapid.SliceOfN(name, 0, 3).Draw(t, "tags")
	j.Priority = rapid.OneOf(rapid.IntRange(0, 3), rapid.Int()).Draw(t, "priority")
	j.Payload = anyRaw.Draw(t, "payload")
	j.Policy = Policy{
		MaxAttempts: rapid.Int().Draw(t, "attempts"), MaxCrashes: rapid.IntRange(0, 100).Draw(t, "crashes"),
		Backoff: Backoff{Base: wait("base"), Max: wait("max")}, Timeout: wait("timeout"),
	}
	j.Created, j.RunAt = anyTime.Draw(t, "created"), anyTime.Draw(t, "due")
	return j
}

// asked is what the envelope says of a job, as encoding/json takes it.
func asked(j *Job) envelope {
	return envelope{
		ID: j.ID, Kind: j.Kind, Queue: j.Queue, Priority: j.Priority, Owner: j.Owner, Tags: j.Tags, Group: j.Group, Batch: j.Batch,
		Policy: j.Policy, Created: j.Created.UnixMicro(), RunAt: j.RunAt.UnixMicro(), Payload: j.Payload,
	}
}

// What EncodeEnvelope writes is what encoding/json writes, and is read without it unless a name needs escapes or a number is
// absurd.
func TestEnvelopeIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := anyAsked(t)
		e := asked(&j)
		payload, refused := json.Marshal(e.Payload)
		if len(e.Payload) > 0 {
			e.Size = len(payload)
		}
		got, err := EncodeEnvelope(&j)
		if refused != nil && len(e.Payload) > 0 {
			if err == nil || got != nil {
				t.Fatalf("payload %q went into %s", j.Payload, got)
			}
			return
		}
		want, _ := json.Marshal(e)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%v\n%s, json.Marshal:\n%s", err, got, want)
		}
		slow, err := parseEnvelope(got)
		if err != nil {
			t.Fatal(err)
		}
		var fast envelope
		names := strings.Join(append([]string{j.Kind, j.Queue, j.Owner, j.Group, j.Batch}, j.Tags...), "")
		odd := slices.ContainsFunc([]byte(names), func(c byte) bool { return !plain[c] }) || math.Abs(float64(j.Priority)) >= 1e18
		ok := fast.scan(got)
		if !ok && !odd {
			t.Fatalf("%s: not read by the scanner", got)
		}
		if ok {
			if diff := cmp.Diff(slow, withSize(fast, slow.Size)); diff != "" {
				t.Fatalf("%s\n-encoding/json +scanner:\n%s", got, diff)
			}
		}
	})
}

func withSize(e envelope, size int) envelope {
	e.Size = size
	return e
}

// Envelopes of other nodes, older and newer, say the same in another form.
func TestEnvelopeOfAnotherForm(t *testing.T) {
	want := New(sampleSpec(), noon)
	data, err := EncodeEnvelope(&want)
	if err != nil {
		t.Fatal(err)
	}
	own := string(data)
	payload := `"size":23,"payload":{"prompt":"a red bike"}}`
	if !strings.HasSuffix(own, ","+payload) {
		t.Fatalf("the payload does not end %s", own)
	}
	var spaced, tidied bytes.Buffer
	var members map[string]json.RawMessage
	if err := json.Indent(&spaced, data, "", "\t"); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &members); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&tidied).Encode(members); err != nil { // in the order of the alphabet
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"own":                  own,
		"with space":           spaced.String(),
		"sorted":               tidied.String(),
		"first version":        `{"id":"0195a1b2-c3d4-7e5f-8a6b-0123456789ab","kind":"video.generate","queue":"video","priority":1,"payload":{"prompt":"a red bike"},"owner":"studio","tags":["spring","draft"],"group":"campaign-7","batch":"b1","policy":{"max_attempts":3,"max_crashes":2,"backoff":{"base":"1s","max":"1m0s"}},"created":1772366400000000,"run_at":1772366400000000}`,
		"new at the beginning": `{"new":1,` + own[1:],
		"new before the size":  strings.Replace(own, payload, `"new":{"payload":1},`+payload, 1),
		"new after the size":   strings.Replace(own, `,"payload":`, `,"new":23,"payload":`, 1),
		"new at the end":       own[:len(own)-1] + `,"new":[1,{"policy":2}]}`,
		"new in the policy":    strings.Replace(own, `"policy":{`, `"policy":{"new":{"a":[{}]},`, 1),
		"new and confusing":    strings.Replace(own, `"policy":{`, `"policy":{"new":{"a":1,"created":2},`, 1),
		"upper case id":        strings.Replace(own, "0195a1b2-c3d4-7e5f-8a6b-0123456789ab", "0195A1B2-C3D4-7E5F-8A6B-0123456789AB", 1),
		"escaped name":         strings.Replace(own, `"video.generate"`, `"video\u002egenerate"`, 1),
		"seconds":              strings.Replace(own, `"1m0s"`, `60`, 1),
		"no size":              strings.Replace(own, `"size":23,`, ``, 1),
		"size too small":       strings.Replace(own, `"size":23,`, `"size":22,`, 1),
		"size too large":       strings.Replace(own, `"size":23,`, `"size":24,`, 1),
		"absurd size":          strings.Replace(own, `"size":23,`, `"size":999999999999999999,`, 1),
		"negative size":        strings.Replace(own, `"size":23,`, `"size":-23,`, 1),
	} {
		for range 2 { // also once the policy is known
			got, err := DecodeEnvelope([]byte(text))
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			var payload bytes.Buffer // keeps its spaces, which mean nothing
			if err := json.Compact(&payload, got.Payload); err != nil {
				t.Error(err)
			}
			got.Payload = payload.Bytes()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
	}
	for n := range len(own) {
		if j, err := DecodeEnvelope(data[:n]); err == nil {
			t.Errorf("a torn envelope was decoded: %s, %+v", data[:n], j)
		}
	}
	if _, err := DecodeEnvelope([]byte(own + "}")); err == nil {
		t.Error("more than an envelope was decoded")
	}
}

// A decoded job lives on when the bytes it came from are used for something else.
func TestDecodedJobOwnsItsParts(t *testing.T) {
	want := New(sampleSpec(), noon)
	data, err := EncodeEnvelope(&want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeEnvelope(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The scanner and encoding/json agree on every text that both read.
func FuzzDecodeEnvelope(f *testing.F) {
	for _, s := range Statuses {
		j := jobsIn(s)[0]
		for _, change := range []func(){func() {}, func() { j.Payload = nil }, func() { j.Tags, j.Owner, j.Priority = nil, "", 0 }} {
			change()
			data, err := EncodeEnvelope(&j)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var fast envelope
		if !fast.scan(data) {
			return
		}
		if fast.Payload != nil && (!json.Valid(fast.Payload) || len(bytes.TrimSpace(fast.Payload)) != len(fast.Payload)) {
			return // its size is a lie
		}
		slow, err := parseEnvelope(data)
		if err != nil {
			t.Fatalf("%s: only the scanner reads it: %v", data, err)
		}
		if diff := cmp.Diff(slow, withSize(fast, slow.Size)); diff != "" {
			t.Fatalf("%s\n-encoding/json +scanner:\n%s", data, diff)
		}
	})
}

// Policies are remembered up to a bound, by as many goroutines as like to, and never mistaken for each other.
func TestPoliciesAreRemembered(t *testing.T) {
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 40 * maxPolicies {
				j := New(sampleSpec(), noon)
				j.Policy.MaxAttempts, j.Policy.Timeout = 1+(i+g)%(maxPolicies+2), Duration(time.Duration(i%3)*time.Second)
				data, err := EncodeEnvelope(&j)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := DecodeEnvelope(data); err != nil || got.Policy != j.Policy {
					t.Errorf("%s: %+v, %v", data, got.Policy, err)
				}
			}
		})
	}
	group.Wait()
	if n := len(*policies.Load()); n != maxPolicies {
		t.Errorf("%d policies are kept", n)
	}
	j := New(sampleSpec(), noon)
	j.Policy.Timeout = math.MaxInt64
	data, err := EncodeEnvelope(&j)
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Replace(data, []byte(`"max_attempts"`), []byte(`"new":"`+strings.Repeat("x", maxPolicyText)+`","max_attempts"`), 1)
	if got, err := DecodeEnvelope(long); err != nil || got.Policy != j.Policy {
		t.Errorf("%+v, %v", got.Policy, err)
	}
	for _, known := range *policies.Load() {
		if len(known.text) > maxPolicyText {
			t.Errorf("a policy of %d bytes is kept", len(known.text))
		}
	}
}
