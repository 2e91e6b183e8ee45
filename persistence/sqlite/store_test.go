package sqlite

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var noon = time.Date(2026, 3, 4, 12, 30, 5, 678_901_000, time.UTC)

func video(rng *rand.Rand, payload string) job.Job {
	return job.New(job.Spec{
		ID: randomID(rng), Kind: "video.generate", Queue: "films", Priority: 2, Payload: []byte(payload), Owner: "ann",
		Tags: []string{"spring", "teaser"}, Group: "g", Batch: "b", Policy: job.DefaultPolicy(),
	}, noon)
}

func (db *DB) commitOne(t *testing.T, w persistence.Write) persistence.Outcome {
	t.Helper()
	outcomes, err := db.Store().Commit(t.Context(), []persistence.Write{w})
	if err != nil {
		t.Fatal(err)
	}
	return outcomes[0]
}

// lived applies events, and collects the write that would bring them all.
func lived(t *testing.T, j job.Job, events ...job.Event) persistence.Write {
	t.Helper()
	w := persistence.Write{History: []job.Transition{j.FirstTransition()}}
	for _, e := range events {
		next, line, err := j.Apply(e, noon.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		j = next
		if line != nil {
			w.History = append(w.History, *line)
		}
	}
	w.Job = j
	return w
}

// TestAnAnswerThatWasLostDoublesNoHistory: a writer whose commit took effect without its knowing sends the lines again, with newer ones.
func TestAnAnswerThatWasLostDoublesNoHistory(t *testing.T) {
	db := openForTest(t)
	j := video(rand.New(rand.NewPCG(1, 1)), `{}`)
	claimed := lived(t, j, job.Claimed{Token: 1, Node: "a"})
	ended := lived(t, j, job.Claimed{Token: 1, Node: "a"}, job.Succeeded{Result: []byte(`{"a": 1}`)})
	for _, w := range []persistence.Write{claimed, claimed, ended, ended} {
		if o := db.commitOne(t, w); !o.Applied {
			t.Fatalf("refused by %+v", o.Current)
		}
	}
	if o := db.commitOne(t, claimed); o.Applied || o.Current != persistence.FenceOf(&ended.Job) {
		t.Errorf("an overtaken write: %+v", o)
	}
	lines, err := db.Store().History(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ended.History, lines); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestARedriveStartsWithoutTheWordToCancel of the life before.
func TestARedriveStartsWithoutTheWordToCancel(t *testing.T) {
	db := openForTest(t)
	st := db.Store()
	j := video(rand.New(rand.NewPCG(2, 2)), `{}`)
	events := []job.Event{job.Claimed{Token: 1, Node: "a"}, job.AttemptFailed{Failure: job.NewFailure("error", "no"), Permanent: true}}
	db.commitOne(t, lived(t, j, events[0]))
	for _, by := range []string{"ann", "bob"} {
		if record, err := st.RequestCancel(t.Context(), j.ID, job.Cancel{By: by}); err != nil || record.Job.Cancel.By != "ann" {
			t.Fatalf("asked by %s: by %+v, %v", by, record.Job.Cancel, err)
		}
	}
	db.commitOne(t, lived(t, j, events...))
	db.commitOne(t, lived(t, j, append(events, job.Redriven{Node: "b"})...))
	records, err := st.Get(t.Context(), []job.ID{j.ID})
	if err != nil || len(records) != 1 || records[0].Job.Life != 2 || records[0].Job.Cancel != nil {
		t.Errorf("%+v, %v: want a second life without word", records, err)
	}
}

// TestTextIsMatchedLiterally: what a pattern would read as signs stands for itself.
func TestTextIsMatchedLiterally(t *testing.T) {
	db := openForTest(t)
	rng := rand.New(rand.NewPCG(3, 3))
	texts := []string{`{"prompt":"100% WOOL"}`, `{"prompt":"1000 wool"}`, `{"prompt":"a_b"}`, `{"prompt":"axb"}`, `{"prompt":"c:\\d"}`}
	for _, text := range texts {
		db.commitOne(t, persistence.Write{Job: video(rng, text)})
	}
	failed := lived(t, video(rng, `{}`), job.Claimed{Token: 1}, job.AttemptFailed{Failure: job.NewFailure("error", `said "NO"`), Permanent: true})
	db.commitOne(t, failed)
	for text, want := range map[string]int{"100% wool": 1, "wool": 2, "a_b": 1, `c:\\D`: 1, "VIDEO.": 6, `"no"`: 1, "%": 1, "'": 0} {
		page, err := db.Store().List(t.Context(), persistence.Query{Texts: []string{text}})
		if err != nil || len(page.Jobs) != want {
			t.Errorf("%s is found %d times, want %d: %v", text, len(page.Jobs), want, err)
		}
	}
}

// TestTheStudioReadsItsView with the columns of its own table.
func TestTheStudioReadsItsView(t *testing.T) {
	db := openForTest(t)
	rng := rand.New(rand.NewPCG(4, 4))
	asked := `{"prompt":"a \"red\" bicycle","imageUrl":"https://example.org/a.png","provider":"local"}`
	done := lived(t, video(rng, asked), job.Claimed{Token: 1, Node: "a"}, job.Succeeded{Result: []byte(`{"videoUrl":"https://example.org/v.mp4"}`)})
	failed := lived(t, video(rng, `[1]`), job.Claimed{Token: 1, Node: "a"}, job.AttemptFailed{Failure: job.NewFailure("error", "no"), Permanent: true})
	other := lived(t, video(rng, `{}`))
	other.Job.Kind = "other"
	for _, w := range []persistence.Write{done, failed, other} {
		db.commitOne(t, w)
	}
	const created, ended = "2026-03-04T12:30:05.678Z", "2026-03-04T12:31:05.678Z"
	want := map[string][]any{
		done.Job.ID.String(): {
			"completed", `a "red" bicycle`, "https://example.org/a.png", "https://example.org/v.mp4", "local", nil, created, ended,
		},
		failed.Job.ID.String(): {"failed", nil, nil, nil, nil, "no", created, ended},
	}
	got := map[string][]any{}
	view := inline("view", `SELECT "id", "status", "prompt", "imageUrl", "videoUrl", "provider", "error", "createdAt", "completedAt" FROM "VideoGenerationJob"`)
	err := db.readers.read(t.Context(), "read view", view, nil, func(r row) error {
		var values []any
		for _, v := range r[1:] {
			values = append(values, v)
		}
		got[r.text(0)] = values
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
}

// TestARecordIsReadAsItWasWritten, to the byte of its documents.
func TestARecordIsReadAsItWasWritten(t *testing.T) {
	db := openForTest(t)
	w := lived(t, video(rand.New(rand.NewPCG(5, 5)), "{ \"b\" : 1.0,\n\"a\":\"é\\u0000\" }"),
		job.Claimed{Token: 3, Node: "a", Crashes: 1},
		job.Progressed{Progress: job.Progress{Percent: 12.3, Stage: "render", StageIndex: 1, StageCount: 3, Note: "x", ETA: job.Duration(time.Second)}},
		job.Checkpointed{Data: []byte(`{"paid": "id-1"}`)},
		job.ArtifactStored{Artifact: job.Artifact{Name: "v.mp4", Type: "video/mp4", Bytes: 7, Token: 3, ETag: "ab"}},
		job.AttemptFailed{Failure: job.NewFailure("panic", "no").WithStack("here"), Jitter: 0.5})
	db.commitOne(t, w)
	records, err := db.Store().Get(t.Context(), []job.ID{{9}, w.Job.ID})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]persistence.Record{{Job: w.Job}}, records); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	w.Job.Payload, w.Job.Checkpoint, w.Job.Result = nil, nil, nil
	page, err := db.Store().List(t.Context(), persistence.Query{Tag: "spring", Owner: "ann", Statuses: []job.Status{job.Retrying}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(persistence.Page{Jobs: []job.Job{w.Job}}, page); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}
