package postgres

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

func TestRowsComeBackAsTheyWere(t *testing.T) {
	for name, pooler := range map[string]bool{"prepared": false, "behind a pooler": true} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Config{Pooler: pooler})
			j := newJob(func(spec *job.Spec) {
				spec.Payload = json.RawMessage("{\"b\": 1,  \"a\":\"\\u0000\\ud800\", \"b\":2, \"é\":1e400}\n")
				spec.Tags, spec.Owner, spec.Group, spec.Batch = []string{`a"b`, `c\d`, "e,f", "{}", "NULL", ""}, "o", "g", "b"
				spec.Policy.Timeout = job.Duration(time.Minute)
			})
			first := submitted(j)
			claimed := after(t, j, job.Claimed{Token: 7, Node: "n1", Crashes: 2},
				job.Progressed{Progress: job.Progress{Percent: 33.3, Stage: "cut", StageIndex: 1, StageCount: 3, Note: "a\x00b", ETA: job.Duration(1500 * time.Millisecond)}},
				job.Checkpointed{Data: json.RawMessage(` [1, 2 ]`)},
				job.ArtifactStored{Artifact: job.Artifact{Name: "a.mp4", Type: "video/mp4", Bytes: 1 << 40, Token: 7, ETag: "ff"}})
			failed := after(t, claimed.Job, job.AttemptFailed{Failure: job.NewFailure(job.CodePanic, "it broke\x00 <b>&").WithStack("here"), Permanent: true})
			redriven := after(t, failed.Job, job.Redriven{By: "o", Node: "n2"})
			done := after(t, redriven.Job, job.Claimed{Token: 9, Node: "n3"}, job.Succeeded{Result: json.RawMessage(`"ok"`)})
			var history []job.Transition
			for _, w := range []persistence.Write{first, claimed, failed, redriven, done} {
				mustCommit(t, s, w)
				history = append(history, w.History...)
				if diff := cmp.Diff(persistence.Record{Job: w.Job}, mustGet(t, s, j.ID)); diff != "" {
					t.Fatalf("%s (-want +got):\n%s", w.Job.Status, diff)
				}
			}
			got, err := s.History(t.Context(), j.ID)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(history, got); diff != "" {
				t.Errorf("history (-want +got):\n%s", diff)
			}
			var events int
			if err := connect(t, s).QueryRow(t.Context(), "SELECT count(*) FROM job_history WHERE job_id = $1 AND at > now() - interval '1 hour'", j.ID.String()).Scan(&events); err != nil || events != len(history) {
				t.Errorf("the view of histories has %d rows, want %d; error %v", events, len(history), err)
			}
		})
	}
}

func TestMixedBatchIsOneTransaction(t *testing.T) {
	s := open(t, Config{})
	old, missing := newJob(), newJob()
	mustCommit(t, s, submitted(old))
	claim := job.Claimed{Token: 1, Node: "n"}
	bad := newJob(func(spec *job.Spec) { spec.Payload = json.RawMessage(`{"cut`) })
	writes := []persistence.Write{submitted(bad), after(t, missing, claim), submitted(newJob()), after(t, old, claim)}
	if _, err := s.Commit(t.Context(), writes); !errors.Is(err, persistence.ErrInvalid) {
		t.Fatalf("commit of broken JSON: %v", err)
	}
	if got := mustGet(t, s, old.ID).Job.Status; got != job.Queued {
		t.Errorf("the refused batch made the old job %s", got)
	}
	mustCommit(t, s, writes[1:]...)
	if s.Stat().NewConnsCount() != 1 {
		t.Errorf("a refused batch cost the connection: %d were made", s.Stat().NewConnsCount())
	}
}

func TestWhatCanNeverBeKeptIsInvalid(t *testing.T) {
	s := open(t, Config{})
	for name, change := range map[string]func(*job.Spec){
		"broken JSON":   func(spec *job.Spec) { spec.Payload = json.RawMessage(`{`) },
		"broken UTF-8":  func(spec *job.Spec) { spec.Payload = json.RawMessage("\"\xff\"") },
		"NUL in a name": func(spec *job.Spec) { spec.Owner = "a\x00" },
		"too deep": func(spec *job.Spec) {
			spec.Payload = json.RawMessage(strings.Repeat("[", 120_000) + strings.Repeat("]", 120_000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Commit(t.Context(), []persistence.Write{submitted(newJob(change))}); !errors.Is(err, persistence.ErrInvalid) {
				t.Errorf("got %v", err)
			}
		})
	}
	j := newJob()
	if _, err := s.Commit(t.Context(), []persistence.Write{submitted(j), submitted(j)}); !errors.Is(err, persistence.ErrInvalid) {
		t.Errorf("one job twice: %v", err)
	}
	mustCommit(t, s, submitted(newJob(func(spec *job.Spec) {
		spec.Payload = json.RawMessage(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)) // as deep as Go's own reader goes
	})))
}

func TestMissingSchemaIsUnavailable(t *testing.T) {
	s := open(t, Config{})
	if err := s.Migrations(down); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), []persistence.Write{submitted(newJob())}); !errors.Is(err, persistence.ErrUnavailable) || !strings.Contains(err.Error(), "migrations") {
		t.Errorf("got %v", err)
	}
	if err := s.Ping(t.Context()); !errors.Is(err, errNoSchema) {
		t.Errorf("ping: %v", err)
	}
}
