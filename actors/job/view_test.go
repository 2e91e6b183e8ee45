package job

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// fullJob has something in every field.
func fullJob() Job {
	j := New(sampleSpec(), noon)
	j.Life, j.Status, j.Token, j.Rev, j.Node = 2, Failed, 4, 4*RevsPerToken+3, "node-a"
	j.Attempt, j.Attempts, j.Crashes = 3, 3, 1
	j.Progress = Progress{Percent: 62.5, Stage: "encode", StageIndex: 2, StageCount: 3, Note: "frame 100 of 160", ETA: Duration(90 * time.Second)}
	j.Checkpoint, j.Result = json.RawMessage(`{"call":"c-17"}`), json.RawMessage(`{"url":"/v/1"}`)
	j.Failure = &Failure{Code: CodeError, Message: "provider said 503", Fingerprint: "00112233aabbccdd", Stack: "secret stack"}
	j.Artifacts = []Artifact{{Name: "video.mp4", Type: "video/mp4", Bytes: 1 << 20, Token: 4, ETag: "e3b0c442"}}
	j.Started, j.Updated, j.Finished = noon.Add(time.Second), noon.Add(time.Minute), noon.Add(time.Minute)
	j.Cancel = NewCancel("ann", "too costly & <late>", noon.Add(30*time.Second))
	return j
}

// The names and forms of these fields are a public contract: a difference here is a change of the interface.
func TestViewIsThePublicContract(t *testing.T) {
	j := fullJob()
	const golden = "testdata/view.golden.json"
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]View{"view": j.View(), "full": j.FullView()}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the public form of a job has changed (review with -update):\n%s", got.String())
	}
	var read struct{ Full View }
	if err := json.Unmarshal(want, &read); err != nil {
		t.Fatal(err)
	}
	if read.Full.ID != j.ID || read.Full.Status != j.Status || read.Full.Version != j.Rev || *read.Full.Cancel != (ViewCancel{CancelTooLate, *j.Cancel}) {
		t.Errorf("read back: %+v", read.Full)
	}
}

// What is large or private never travels with a change.
func TestViewLeavesOut(t *testing.T) {
	for _, s := range Statuses {
		j := fullJob()
		j.Status = s
		j.Result = json.RawMessage(`"` + strings.Repeat("r", maxStreamedResult) + `"`)
		view := j.View()
		if view.Payload != nil || view.Checkpoint != nil || view.Result != nil {
			t.Errorf("%s: payload, checkpoint or a large result is in the view", s)
		}
		data, err := json.Marshal(view)
		if err != nil || bytes.Contains(data, []byte("red bike")) || bytes.Contains(data, []byte("c-17")) || bytes.Contains(data, []byte("stack")) {
			t.Errorf("%s: %v, %s", s, err, data)
		}
		if full := j.FullView(); full.Payload == nil || full.Checkpoint == nil || full.Result == nil {
			t.Errorf("%s: the resource lacks payload, checkpoint or result", s)
		}
		if view.Terminal != s.Terminal() {
			t.Errorf("%s: terminal is %t", s, view.Terminal)
		}
	}
	small := New(sampleSpec(), noon)
	data, err := json.Marshal(small.View())
	if err != nil || bytes.Contains(data, []byte("null")) || bytes.Contains(data, []byte("0001-01-01")) {
		t.Errorf("a new job's view has empty fields: %v, %s", err, data)
	}
}
