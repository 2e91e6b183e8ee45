package job

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var (
	anyJSON = rapid.Map(rapid.SampledFrom([]string{"", `{}`, `null`, `{"a":[1,2.5,"x"]}`, `"text"`}),
		func(s string) json.RawMessage { return json.RawMessage(s) })
	anyText = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "bad \xff\xfe bytes", "nul \x00 byte", strings.Repeat("long é ", 200),
	}))
	anyPercent = rapid.OneOf(rapid.Float64Range(-10, 110), rapid.SampledFrom([]float64{
		math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.Copysign(0, -1), 0, 100,
	}))
	anyWait = rapid.OneOf(rapid.Map(rapid.Int64Range(-1e10, 1e14), func(n int64) time.Duration { return time.Duration(n) }),
		rapid.SampledFrom([]time.Duration{0, math.MinInt64, math.MaxInt64}))
	anyNode = rapid.SampledFrom([]string{"n1", "n2", "n3"})
)

func anySpec(t *rapid.T) Spec {
	s := sampleSpec()
	s.Payload = anyJSON.Draw(t, "payload")
	s.Tags = rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "tags")
	s.Policy.MaxAttempts = rapid.IntRange(1, 4).Draw(t, "max attempts")
	s.Policy.MaxCrashes = rapid.IntRange(1, 3).Draw(t, "max crashes")
	s.Policy.Timeout = rapid.SampledFrom([]Duration{0, Duration(time.Minute)}).Draw(t, "timeout")
	if rapid.Bool().Draw(t, "later") {
		s.RunAt = noon.Add(time.Duration(rapid.Int64Range(-5000, 5000).Draw(t, "due in ns")))
	}
	return s
}

func anyEvent(t *rapid.T, j Job) Event {
	switch rapid.IntRange(0, 13).Draw(t, "event") {
	case 0, 1, 2:
		return Claimed{
			Token: j.Token + rapid.Int64Range(-1, 3).Draw(t, "token"), Node: anyNode.Draw(t, "node"),
			Crashes: rapid.IntRange(0, 4).Draw(t, "crashes"),
		}
	case 3, 4:
		return Progressed{Progress{
			Percent: anyPercent.Draw(t, "percent"), Stage: anyText.Draw(t, "stage"), StageIndex: rapid.Int().Draw(t, "stage index"),
			StageCount: rapid.Int().Draw(t, "stage count"), Note: anyText.Draw(t, "note"), ETA: Duration(anyWait.Draw(t, "eta")),
		}}
	case 5:
		return Checkpointed{anyJSON.Draw(t, "checkpoint")}
	case 6:
		return ArtifactStored{Artifact{Name: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), Token: j.Token}}
	case 7:
		return Succeeded{anyJSON.Draw(t, "result")}
	case 8:
		e := AttemptFailed{
			Permanent: rapid.IntRange(0, 4).Draw(t, "permanent") == 0, RetryAfter: anyWait.Draw(t, "retry after"),
			Jitter: anyPercent.Draw(t, "jitter"),
		}
		if rapid.Bool().Draw(t, "with a reason") {
			e.Failure = NewFailure(anyText.Draw(t, "code"), anyText.Draw(t, "message")).WithStack(anyText.Draw(t, "stack"))
		}
		return e
	case 9:
		return Snoozed{anyWait.Draw(t, "delay")}
	case 10:
		return Released{anyText.Draw(t, "reason")}
	case 11:
		return CancelRequested{By: anyText.Draw(t, "by"), Node: "api", Reason: anyText.Draw(t, "reason")}
	case 12:
		return Hastened{By: anyText.Draw(t, "by"), Node: "api"}
	default:
		return Redriven{By: anyText.Draw(t, "by"), Node: "api"}
	}
}

// A walk of random events never breaks a rule that the package states, and a refused event changes nothing.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := New(anySpec(t), noon)
		checkJob(t, j)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if j.Cancel == nil && !j.Status.Terminal() && rapid.IntRange(0, 7).Draw(t, "word comes to the row") == 0 {
				j = withWord(t, j)
			}
			e := anyEvent(t, j)
			now := j.Updated.Add(time.Duration(rapid.Int64Range(-1e9, 1e10).Draw(t, "passes")))
			before := copied(j)
			next, line, err := j.Apply(e, now)
			if diff := cmp.Diff(before, j); diff != "" {
				t.Fatalf("%s wrote through its receiver (-before +after):\n%s", Name(e), diff)
			}
			if err != nil {
				if diff := cmp.Diff(before, next); diff != "" || line != nil {
					t.Fatalf("%s was refused (%v) and yet changed something:\n%s", Name(e), err, diff)
				}
				continue
			}
			checkStep(t, before, e, next, line)
			checkJob(t, next)
			j = next
		}
	})
}

// withWord is the job with word of a request to cancel on its row.
func withWord(t *rapid.T, j Job) Job {
	before := j.View()
	j.Cancel = NewCancel(anyText.Draw(t, "asked by"), anyText.Draw(t, "asked because"), j.Updated)
	after := j.View()
	if j.Status != Cancelling && after.Version != before.Version+1 || after.Cancel == nil || after.Cancel.State != CancelRequest {
		t.Fatalf("word came to the row, and is not shown:\nbefore %+v\nafter  %+v", before, after)
	}
	return j
}

// cancelSteps are what may become of a request within one life.
var cancelSteps = map[CancelState][]CancelState{
	CancelNone: {CancelNone, CancelRequest, CancelConfirmed}, CancelRequest: {CancelRequest, CancelConfirmed, CancelTooLate},
}

// checkStep holds what must be true of every applied event.
func checkStep(t *rapid.T, before Job, e Event, after Job, line *Transition) {
	what := Name(e) + " while " + before.Status.String()
	require := func(ok bool, rule string) {
		if !ok {
			t.Fatalf("%s: %s\nbefore %+v\nafter  %+v", what, rule, before, after)
		}
	}
	_, redriven := e.(Redriven)
	failed, failing := e.(AttemptFailed)
	claimed, claiming := e.(Claimed)

	require(after.Rev > before.Rev, "rev must grow")
	require(after.Token >= before.Token, "the token must not shrink")
	require(after.Token == before.Token || after.Rev == after.Token*RevsPerToken+1, "the first rev of a token is its number times a million and one")
	require(!after.Updated.Before(before.Updated), "time must not go backwards")
	require(!before.Status.Terminal() || redriven, "only a redrive leaves a terminal status")
	require(after.Life == before.Life || redriven && after.Life == before.Life+1, "only a redrive begins a life, the next")
	before1, after1 := before.View(), after.View()
	_, heard := e.(CancelRequested)
	require(after1.Version > before1.Version || heard && before.Cancel != nil && after1.Version == before1.Version && after1.Status == before1.Status,
		"a version must grow, but where a holder hears what the row told before")
	if redriven {
		require(after.Cancel == nil && after.CancelState() == CancelNone, "a life begins unasked")
	} else {
		require(slices.Contains(cancelSteps[before.CancelState()], after.CancelState()), "a request goes from requested to confirmed or too late")
		require(before.Cancel == nil || cmp.Equal(after.Cancel, before.Cancel), "the first request stands")
		require(after.Cancel != nil || before.Cancel == nil && !heard, "a request is kept")
		require(!claiming || before.Cancel == nil || after.Status == Cancelled, "what somebody asked to stop is not run again")
	}
	if redriven {
		require(after.Attempts == 0 && after.Crashes == 0 && after.Attempt == 0 && after.Progress == Progress{} && after.Failure == nil, "a life begins fresh")
		require(cmp.Equal(after.Payload, before.Payload) && cmp.Equal(after.Checkpoint, before.Checkpoint), "payload and checkpoint stay")
	} else {
		require(after.Progress.Percent >= before.Progress.Percent, "progress must not go backwards")
		require(!after.Started.Before(before.Started), "the start must not go backwards")
		spent := after.Attempts - before.Attempts
		require(spent == 0 || spent == 1 && failing && before.Status == Processing, "only a failure spends an attempt")
		require(after.Crashes == before.Crashes || claiming && after.Crashes == claimed.Crashes && spent == 0, "only a claim tells crashes")
	}
	if failing && before.Status == Processing {
		require(after.Failure != nil && line.Failure == after.Failure, "a failure is kept and told")
		require(after.Status == Failed == (failed.Permanent || after.Attempts == after.Policy.MaxAttempts), "out of attempts, or permanent, is failed")
		require(after.Status == Failed || !after.RunAt.Before(clock(after.Updated.Add(clampDelay(failed.RetryAfter)))), "a retry waits at least as asked")
	}
	if _, progressed := e.(Progressed); progressed {
		require(line == nil, "progress is not history")
		return
	}
	require(line != nil && line.Event == Name(e) && line.Rev == after.Rev && line.Status == after.Status && line.Life == after.Life &&
		line.Token == after.Token && line.At.Equal(after.Updated) && line.Attempt == after.Attempt && line.Node == after.Node, "the line of history is the job's")
	require(len(line.Note) <= MaxNote && storable(line.Note), "a note is bounded and storable")
	require(line.RunAt.IsZero() == (after.Status != Retrying && after.Status != Scheduled), "a wait tells until when")
}

// checkJob holds what must be true of every job at any time.
func checkJob(t *rapid.T, j Job) {
	require := func(ok bool, rule string) {
		if !ok {
			t.Fatalf("%s: %+v", rule, j)
		}
	}
	require(j.Finished.IsZero() != j.Status.Terminal(), "finished is set if and only if terminal")
	require(j.Rev/RevsPerToken == j.Token, "a rev lies within its token's")
	require(j.Attempts <= j.Policy.MaxAttempts && j.Attempt <= j.Policy.MaxAttempts, "attempts are bounded")
	require(j.Crashes <= j.Policy.MaxCrashes || j.Status == Failed || j.Status == Cancelled, "too many crashes are the end")
	require(j.Progress.Percent >= 0 && j.Progress.Percent <= 100, "percent is 0 to 100")
	require(j.Status != Completed || j.Progress.Percent == 100 && j.Failure == nil, "completed is whole")
	require(j.Status != Failed && j.Status != Retrying || j.Failure != nil, "what failed says why")
	require(j.Progress.StageIndex >= 0 && j.Progress.StageCount >= 0 && j.Progress.ETA >= 0, "stages and estimates are not negative")
	require(j.Status.Running() || j.Progress.ETA == 0, "what does not run estimates no end")
	require(j.CancelState() == CancelNone == (j.Cancel == nil && j.Status != Cancelling && j.Status != Cancelled), "who is asked has a state")
	require(j.Cancel == nil || j.Cancel.Validate() == nil && storable(j.Cancel.By+j.Cancel.Reason), "a request is bounded and storable")
	require(j.Cancel == nil || *ParseCancel(j.Cancel.Text()) == *j.Cancel, "a request is read as it was written")
	require(len(j.Progress.Note) <= MaxNote && len(j.Progress.Stage) <= MaxName && storable(j.Progress.Note+j.Progress.Stage), "texts are bounded and storable")
	for _, at := range []time.Time{j.Created, j.RunAt, j.Updated} {
		require(at.Location() == time.UTC && at.Nanosecond()%1000 == 0, "times are UTC and whole microseconds")
	}
	require(!j.Updated.Before(j.Created) && !j.Started.After(j.Updated) && !j.Finished.After(j.Updated), "times are in order")
	require(!j.RunAt.After(j.Updated.Add(MaxDelay)), "no wait is over the bound")

	data, err := json.Marshal(j)
	require(err == nil, "a job is written as JSON")
	var read Job
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatalf("read %s: %v", data, err)
	}
	if diff := cmp.Diff(emptyAsNil(j), emptyAsNil(read)); diff != "" {
		t.Fatalf("JSON round trip (-want +got):\n%s", diff)
	}
}

func storable(s string) bool { return strings.ToValidUTF8(s, "") == s && !strings.Contains(s, "\x00") }

// emptyAsNil makes jobs that mean the same the same: JSON leaves out what is empty.
func emptyAsNil(j Job) Job {
	for _, raw := range []*json.RawMessage{&j.Payload, &j.Checkpoint, &j.Result} {
		if len(*raw) == 0 {
			*raw = nil
		}
	}
	if len(j.Tags) == 0 {
		j.Tags = nil
	}
	if len(j.Artifacts) == 0 {
		j.Artifacts = nil
	}
	return j
}

// An envelope carries all that was asked: who decodes it has the job that New made.
func TestEnvelopeRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := New(anySpec(t), noon.Add(time.Duration(rapid.Int64Range(0, 1e6).Draw(t, "ns"))))
		data, err := EncodeEnvelope(&j)
		if err != nil {
			t.Fatal(err)
		}
		read, err := DecodeEnvelope(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(emptyAsNil(j), emptyAsNil(read)); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	})
}

// An envelope made of a job in the midst of its life says nothing of that life.
func TestEnvelopeForgetsTheLife(t *testing.T) {
	for _, s := range Statuses {
		j := jobsIn(s)[0]
		data, err := EncodeEnvelope(&j)
		if err != nil {
			t.Fatal(err)
		}
		read, err := DecodeEnvelope(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(New(sampleSpec(), noon), read); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s, diff)
		}
	}
	if _, err := DecodeEnvelope([]byte(`{"id":"x"}`)); err == nil {
		t.Error("a broken envelope was decoded")
	}
}

// Two futures of one job don't share what they add.
func TestFuturesAreApart(t *testing.T) {
	j := jobsIn(Processing)[0]
	j.Artifacts = append(make([]Artifact, 0, 16), j.Artifacts...)
	before := copied(j)
	one, _, err := j.Apply(ArtifactStored{Artifact{Name: "one"}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := j.Apply(ArtifactStored{Artifact{Name: "two"}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if one.Artifacts[2].Name != "one" || two.Artifacts[2].Name != "two" {
		t.Errorf("one future wrote into the other: %v, %v", one.Artifacts, two.Artifacts)
	}
	for i := range one.Artifacts {
		one.Artifacts[i].Name = "changed"
	}
	if diff := cmp.Diff(before, j); diff != "" {
		t.Errorf("a change of the result reached the original:\n%s", diff)
	}
}

// However much a handler says under one claim, its successor's first word is newer, and its own last word fits.
func TestRevsNeverReachTheNextToken(t *testing.T) {
	j := jobsIn(Processing)[0]
	apply := func(e Event) error {
		next, _, err := j.Apply(e, noon)
		j = next
		return err
	}
	j.Rev = (j.Token+1)*RevsPerToken - 2*revsBeyondProgress
	for i := range 5 * revsBeyondProgress {
		errs := []error{
			apply(Progressed{Progress{Note: strings.Repeat("x", i%7)}}),
			apply(Checkpointed{json.RawMessage(`1`)}),
			apply(ArtifactStored{Artifact{Name: "a"}}),
		}
		for _, err := range errs {
			if err != nil && !errors.Is(err, ErrLimit) && !errors.Is(err, ErrUnchanged) {
				t.Fatal(err)
			}
		}
	}
	for _, e := range []Event{CancelRequested{}, Released{}} {
		if err := apply(e); err != nil {
			t.Fatalf("%s did not fit: %v", Name(e), err)
		}
	}
	if j.Rev >= (j.Token+1)*RevsPerToken {
		t.Errorf("rev %d reaches into the next token's", j.Rev)
	}
}
