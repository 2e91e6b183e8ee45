package storetest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// seedVariable repeats a run: set it to the seed that a failed test logged.
const seedVariable = "STORETEST_SEED"

// Random gives a test its dice and logs their seed.
func Random(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv(seedVariable); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("%s=%d", seedVariable, seed)
	return rand.New(rand.NewPCG(seed, seed))
}

// NewID makes an id of the given time.
func NewID(rng *rand.Rand, at time.Time) job.ID {
	var id job.ID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|rng.Uint64()&0x0fff)
	binary.BigEndian.PutUint64(id[8:], rng.Uint64()&0x3fff_ffff_ffff_ffff|0x8000_0000_0000_0000)
	return id
}

// RandomName is a valid name.
func RandomName(rng *rand.Rand) string {
	const first, rest = "abcxyzABC0189", "abcxyzABC0189._-"
	name := []byte{first[rng.IntN(len(first))]}
	for range rng.IntN(20) {
		name = append(name, rest[rng.IntN(len(rest))])
	}
	return string(name)
}

// texts are what every text field must keep.
var texts = []string{
	"", " ", "plain", "ünïcödé", "🎬🧪 emoji", "line\nbreak\ttab\r", `quote " and ' and \`, "null", "%_\\%", "{1,2}", "$1 ? :name",
	"e\u0301 is not é", "\u202eright to left", "\u2028", "\ufffd", "\x01\x7f", "a  b   ",
}

// RandomText is valid UTF-8 without NUL.
func RandomText(rng *rand.Rand) string {
	return texts[rng.IntN(len(texts))] + strings.Repeat(texts[rng.IntN(len(texts))], rng.IntN(3))
}

// jsons are what every JSON field must keep to the byte.
var jsons = []string{
	`null`, `true`, `0`, `-0`, `1.0`, `1e2`, `""`, `[]`, `{}`, `12345678901234567890123456789`, `0.1000000000000000055511151231257827`,
	`1E400`, `"\u0000"`, `"\ud800"`, `"\u00e9 é \/ /"`, `"🎬"`, `{"b":1,"a":2,"b":3}`, "{ \"spaced\" :\n [ 1 , 2 ] }", `[[[[[[[[]]]]]]]]`,
	`{"":{"\u0000":"\u0000"}}`, `"\u2028\u2029"`, `"<script>&amp;"`, `["'", "$1", "\\x00", "%s"]`,
}

// RandomJSON is valid JSON, sometimes of some kilobytes.
func RandomJSON(rng *rand.Rand) json.RawMessage {
	text := jsons[rng.IntN(len(jsons))]
	switch rng.IntN(8) {
	case 0:
		text = fmt.Sprintf(`{"n":%d,"v":%s,"w":[%s]}`, rng.Int64(), text, jsons[rng.IntN(len(jsons))])
	case 1:
		text = `"` + strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(8<<10)) + `"`
	}
	return json.RawMessage(text)
}

// RandomPolicy is a valid policy.
func RandomPolicy(rng *rand.Rand) job.Policy {
	base := time.Millisecond + time.Duration(rng.Int64N(int64(time.Hour-time.Millisecond)))
	return job.Policy{
		MaxAttempts: 1 + rng.IntN(job.MaxMaxAttempts), MaxCrashes: 1 + rng.IntN(job.MaxMaxAttempts),
		Backoff: job.Backoff{Base: job.Duration(base), Max: job.Duration(base + time.Duration(rng.Int64N(int64(time.Hour))))},
		Timeout: job.Duration(rng.Int64N(int64(job.MaxTimeout))),
	}
}

// RandomSpec is a valid submission.
func RandomSpec(rng *rand.Rand) job.Spec {
	s := job.Spec{
		ID: NewID(rng, time.Now()), Kind: RandomName(rng), Queue: RandomName(rng), Priority: rng.IntN(job.MaxPriority + 1),
		Payload: maybe(rng, RandomJSON), Owner: maybe(rng, RandomName), Group: maybe(rng, RandomName), Batch: maybe(rng, RandomName),
		Policy: RandomPolicy(rng),
	}
	for range rng.IntN(4) {
		s.Tags = append(s.Tags, RandomName(rng))
	}
	return s
}

// RandomJob is a valid job in any status, with any of its fields set. Its numbers fit each other, but it need not be
// what events could make of a submission.
func RandomJob(rng *rand.Rand) job.Job {
	return RandomJobIn(rng, job.Statuses[rng.IntN(len(job.Statuses))])
}

// RandomJobIn is RandomJob in the given status.
func RandomJobIn(rng *rand.Rand, status job.Status) job.Job {
	j := job.New(RandomSpec(rng), time.Now().Add(-time.Duration(rng.Int64N(int64(time.Minute)))))
	j.Status = status
	j.Life = 1 + rng.IntN(3)
	j.Token = rng.Int64N(1 << 40)
	j.Rev = j.Token*job.RevsPerToken + rng.Int64N(job.RevsPerToken)
	j.Node = maybe(rng, RandomName)
	j.Attempt, j.Attempts, j.Crashes = rng.IntN(10), rng.IntN(10), rng.IntN(10)
	j.Progress = job.Progress{
		Percent: maybe(rng, func(*rand.Rand) float64 { return rng.Float64() * 100 }), Stage: maybe(rng, RandomName), StageIndex: rng.IntN(5),
		StageCount: rng.IntN(9), Note: maybe(rng, RandomText), ETA: job.Duration(rng.Int64N(int64(time.Hour))),
	}
	j.Checkpoint, j.Result = maybe(rng, RandomJSON), maybe(rng, RandomJSON)
	if rng.IntN(2) == 0 {
		j.Failure = RandomFailure(rng)
	}
	for i := range rng.IntN(4) {
		j.Artifacts = append(j.Artifacts, job.Artifact{
			Name: fmt.Sprintf("%d%s", i, RandomName(rng)), Type: "video/mp4; codecs=\"x\"", Bytes: rng.Int64(), Token: rng.Int64N(1 << 40),
			ETag: fmt.Sprintf("%064x", rng.Uint64()),
		})
	}
	j.RunAt = j.Created.Add(randomSpan(rng))
	if j.Attempt > 0 {
		j.Started = j.Created.Add(randomSpan(rng))
	}
	j.Updated = j.Created.Add(randomSpan(rng))
	if status.Terminal() {
		j.Finished = j.Updated
	}
	return j
}

// RandomFailure is a valid failure.
func RandomFailure(rng *rand.Rand) *job.Failure {
	f := job.NewFailure(RandomName(rng), RandomText(rng))
	if rng.IntN(2) == 0 {
		f = f.WithStack("goroutine 1 [running]:\n" + RandomText(rng))
	}
	return f
}

// RandomTransition is a line of history that fits the job.
func RandomTransition(rng *rand.Rand, j *job.Job) job.Transition {
	t := job.Transition{
		Rev: j.Rev, At: j.Created.Add(randomSpan(rng)), Event: "Claimed", Status: j.Status, Life: j.Life, Attempt: j.Attempt, Token: j.Token,
		Node: j.Node, Note: maybe(rng, RandomText),
	}
	if rng.IntN(2) == 0 {
		t.Failure = RandomFailure(rng)
	}
	if rng.IntN(2) == 0 {
		t.RunAt = j.RunAt
	}
	return t
}

// randomSpan is up to a day, in the microseconds that stores keep.
func randomSpan(rng *rand.Rand) time.Duration {
	return time.Duration(rng.Int64N(int64(24*time.Hour/time.Microsecond))) * time.Microsecond
}

func maybe[T any](rng *rand.Rand, make func(*rand.Rand) T) (value T) {
	if rng.IntN(4) > 0 {
		value = make(rng)
	}
	return value
}
