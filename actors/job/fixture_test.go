package job

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	noon     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	sampleID = mustID("0195a1b2-c3d4-7e5f-8a6b-0123456789ab")
)

func mustID(s string) ID {
	id, err := ParseID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func sampleSpec() Spec {
	return Spec{
		ID: sampleID, Kind: "video.generate", Queue: "video", Priority: 1, Payload: json.RawMessage(`{"prompt":"a red bike"}`),
		Owner: "studio", Tags: []string{"spring", "draft"}, Group: "campaign-7", Batch: "b1",
		Policy: Policy{MaxAttempts: 3, MaxCrashes: 2, Backoff: Backoff{Base: Duration(time.Second), Max: Duration(time.Minute)}},
	}
}

// jobsIn are jobs in the given status that differ in what an event's outcome may depend on: counters at and under their bounds, and whether
// somebody has asked that they be stopped.
func jobsIn(s Status) []Job {
	var jobs []Job
	for _, attempts := range []int{0, 2} {
		for _, crashes := range []int{0, 2} {
			j := New(sampleSpec(), noon)
			j.Status, j.Attempts, j.Crashes = s, attempts, crashes
			if s != Scheduled && s != Queued {
				j.Token, j.Rev, j.Node, j.Attempt, j.Started = 4, 4*RevsPerToken+7, "n1", attempts+1, noon
				j.Checkpoint = json.RawMessage(`{"step":1}`)
				j.Artifacts = []Artifact{{Name: "a.txt", Token: 4}, {Name: "b.txt", Token: 4}}
			}
			if s.Terminal() {
				j.Finished = noon
			}
			if attempts > 0 {
				j.Failure = NewFailure(CodeError, "provider said 503")
			}
			jobs = append(jobs, j)
			j.Cancel = NewCancel("ann", "too costly", noon)
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// eventsFor are all kinds of event, each with every parameter that may decide its outcome.
func eventsFor(j Job) []Event {
	failure := NewFailure(CodeError, "boom")
	return []Event{
		Claimed{Token: j.Token - 1, Node: "n2"},
		Claimed{Token: j.Token, Node: "n2"},
		Claimed{Token: j.Token + 1, Node: "n2"},
		Claimed{Token: j.Token + 5, Node: "n2", Crashes: j.Policy.MaxCrashes},
		Claimed{Token: j.Token + 1, Node: "n2", Crashes: j.Policy.MaxCrashes + 1},
		Progressed{Progress{Percent: 40, Stage: "render"}},
		Checkpointed{json.RawMessage(`{"step":2}`)},
		ArtifactStored{Artifact{Name: "a.txt", Type: "text/plain", Bytes: 3, Token: j.Token}},
		ArtifactStored{Artifact{Name: "c.txt", Type: "text/plain", Bytes: 3, Token: j.Token}},
		Succeeded{},
		Succeeded{Result: json.RawMessage(`{"ok":true}`)},
		AttemptFailed{},
		AttemptFailed{Failure: failure},
		AttemptFailed{Failure: failure, Permanent: true},
		AttemptFailed{Failure: failure, RetryAfter: time.Hour, Jitter: 1},
		Snoozed{},
		Snoozed{Delay: time.Hour},
		Snoozed{Delay: -time.Hour},
		Released{},
		Released{Reason: "the node drains"},
		CancelRequested{Node: "api"},
		CancelRequested{By: "ops", Node: "api", Reason: "wrong prompt"},
		Hastened{Node: "api"},
		Hastened{By: "ops", Node: "api"},
		Redriven{Node: "api"},
		Redriven{By: "ops", Node: "api"},
	}
}

// copied shares nothing with its original.
func copied(j Job) Job {
	j.Payload, j.Checkpoint, j.Result = slices.Clone(j.Payload), slices.Clone(j.Checkpoint), slices.Clone(j.Result)
	j.Tags, j.Artifacts = slices.Clone(j.Tags), slices.Clone(j.Artifacts)
	if j.Failure != nil {
		failure := *j.Failure
		j.Failure = &failure
	}
	if j.Cancel != nil {
		cancel := *j.Cancel
		j.Cancel = &cancel
	}
	return j
}
