package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
)

func TestReadOrder(t *testing.T) {
	o, err := readOrder([]byte(`{"kind":"mail.send","payload":{"to": "x" },"queue":"q","priority":0,"delay":"1.5s","max_attempts":5,
		"backoff":{"base":2,"max":"1m"},"timeout":90,"tags":["a","b"],"group":"g","owner":"u42","batch":null}`), "", false)
	if err != nil {
		t.Fatal(err)
	}
	first := 0
	want := order{
		Kind: "mail.send", Payload: []byte(`{"to":"x"}`), Queue: "q", Priority: &first, Delay: 1500 * time.Millisecond, Tags: []string{"a", "b"},
		Group: "g", Owner: "u42", Policy: job.Policy{
			MaxAttempts: 5, Timeout: job.Duration(90 * time.Second),
			Backoff: job.Backoff{Base: job.Duration(2 * time.Second), Max: job.Duration(time.Minute)},
		},
	}
	if diff := cmp.Diff(want, o, cmp.AllowUnexported(order{})); diff != "" {
		t.Error(diff)
	}
}

func TestReadOrderRefuses(t *testing.T) {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	for body, want := range map[string]string{
		``:                                       "bad_request: the body is not JSON",
		`{`:                                      "bad_request: the body is not JSON",
		`{"kind":"x"} {}`:                        "bad_request: the body is not JSON",
		`[]`:                                     "invalid: the body: want a JSON object",
		`null`:                                   "invalid: the body: want a JSON object",
		`{}`:                                     "invalid: kind: is needed",
		`{"kind":5}`:                             "invalid: kind: want a string",
		`{"kind":"a/b"}`:                         `invalid: kind: "a/b": want`,
		`{"Kind":"a"}`:                           `invalid: unknown field "Kind"`,
		`{"kind":"a","retries":3}`:               `invalid: unknown field "retries"`,
		`{"kind":"a","backoff":{"bse":1}}`:       `invalid: unknown field "backoff.bse"`,
		`{"kind":"a","backoff":{"base":"soon"}}`: "invalid: backoff.base: duration",
		`{"kind":"a","backoff":{"base":"2h"}}`:   "invalid: backoff.base: 2h0m0s is not within",
		`{"kind":"a","priority":4}`:              "invalid: priority: want 0 (first) to 3 (last)",
		`{"kind":"a","priority":1.5}`:            "invalid: priority: want 0",
		`{"kind":"a","max_attempts":101}`:        "invalid: max_attempts: 101",
		`{"kind":"a","max_attempts":-1}`:         "invalid: max_attempts: -1",
		`{"kind":"a","timeout":"200h"}`:          "invalid: timeout:",
		`{"kind":"a","delay":-1}`:                "invalid: delay: -1s",
		`{"kind":"a","delay":1,"run_at":"2030-01-01T00:00:00Z"}`:               "invalid: delay: not together",
		`{"kind":"a","run_at":"tomorrow"}`:                                     "invalid: run_at: want a time",
		`{"kind":"a","run_at":"2199-01-01T00:00:00Z"}`:                         "invalid: run_at: more than",
		`{"kind":"a","tags":["a b"]}`:                                          `invalid: tags: "a b"`,
		`{"kind":"a","tags":"a"}`:                                              "invalid: tags: want an array",
		`{"kind":"a","payload":` + deep + `}`:                                  "invalid: nested deeper",
		`{"kind":"a","payload":"` + strings.Repeat("x", job.MaxPayload) + `"}`: "too_large: payload of 262146 bytes",
		`{"kind":"a","key":"k"}`:                                               `invalid: unknown field "key"`,
	} {
		_, err := readOrder([]byte(body), "", false)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.80s: %v, want %s", body, err, want)
		}
	}
}

func TestFingerprint(t *testing.T) {
	print := func(body string) string {
		t.Helper()
		o, err := readOrder([]byte(body), "", false)
		if err != nil {
			t.Fatal(err)
		}
		f, err := o.fingerprint()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	base := print(`{"kind":"a","payload":{"x":1,"y":"é"},"delay":"90s"}`)
	for _, same := range []string{
		`{"payload":{"y":"\u00e9", "x":1},"kind":"a","delay":"1m30s"}`,
		` { "kind" : "a", "delay":90, "payload" : { "x" : 1 , "y" : "é" }, "queue":null } `,
	} {
		if print(same) != base {
			t.Errorf("%s has another fingerprint", same)
		}
	}
	for _, other := range []string{
		`{"kind":"a","payload":{"x":1.0,"y":"é"},"delay":"90s"}`,
		`{"kind":"a","payload":{"x":1,"y":"e"},"delay":"90s"}`,
		`{"kind":"a","payload":{"x":1,"y":"é"}}`,
		`{"kind":"b","payload":{"x":1,"y":"é"},"delay":"90s"}`,
		`{"kind":"a","payload":{"x":1,"y":"é"},"delay":"90s","priority":1}`,
	} {
		if print(other) == base {
			t.Errorf("%s has the same fingerprint", other)
		}
	}
	if print(`{"kind":"a","payload":9007199254740993}`) == print(`{"kind":"a","payload":9007199254740992}`) {
		t.Error("numbers beyond 2^53 are told apart no more")
	}
}

func TestDiffers(t *testing.T) {
	read := func(body string) order {
		t.Helper()
		o, err := readOrder([]byte(body), "", false)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	now := time.Now()
	o := read(`{"kind":"a","payload":{"prompt":"x","n":[1,{"deep":true}],"old":1}}`)
	first := job.New(job.Spec{Kind: o.Kind, Queue: "default", Priority: 1, Payload: o.Payload, Policy: job.DefaultPolicy()}, now)
	for body, want := range map[string][]string{
		`{"kind":"a","payload":{"prompt":"x","n":[1,{"deep":true}],"old":1}}`:                                          nil,
		`{"kind":"a","payload":{"prompt":"y","n":[1,{"deep":false}],"new":null}}`:                                      {"payload.n[1].deep", "payload.new", "payload.old", "payload.prompt"},
		`{"kind":"a","payload":{"prompt":"x","n":[1],"old":1}}`:                                                        {"payload.n"},
		`{"kind":"b","queue":"q","priority":2,"payload":5}`:                                                            {"kind", "queue", "priority", "payload"},
		`{"kind":"a","payload":{"prompt":"x","n":[1,{"deep":true}],"old":1},"max_attempts":9,"tags":["t"],"delay":60}`: {"tags", "max_attempts", "delay"},
	} {
		if diff := cmp.Diff(want, differs(&first, read(body))); diff != "" {
			t.Errorf("%s:\n%s", body, diff)
		}
	}
	many := read(`{"kind":"a","payload":{` + manyFields(100) + `}}`)
	if got := len(differs(&first, many)); got != maxDiffers {
		t.Errorf("%d differences named, want at most %d", got, maxDiffers)
	}
}

func manyFields(n int) string {
	var all []string
	for i := range n {
		all = append(all, `"k`+strings.Repeat("x", i)+`":1`)
	}
	return strings.Join(all, ",")
}
