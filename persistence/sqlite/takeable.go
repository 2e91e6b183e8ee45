package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// takeable says what of a write no row can hold: what it could not give back as it came.
func takeable(w *persistence.Write) error {
	j := &w.Job
	switch {
	case j.ID.IsZero():
		return errors.New("no id")
	case j.Status < job.Scheduled || j.Status > job.Cancelled:
		return fmt.Errorf("unknown %s", j.Status)
	case j.Status.Terminal() == j.Finished.IsZero():
		return fmt.Errorf("%s, and finished at %s", j.Status, j.Finished)
	}
	texts := append([]string{j.Kind, j.Queue, j.Owner, j.Group, j.Batch, j.Node, j.Progress.Stage, j.Progress.Note}, j.Tags...)
	texts = appendFailure(texts, j.Failure)
	for _, a := range j.Artifacts {
		texts = append(texts, a.Name, a.Type, a.ETag)
	}
	for i := range w.History {
		line := &w.History[i]
		texts = appendFailure(append(texts, line.Event, line.Node, line.Note), line.Failure)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return fmt.Errorf("the text %.80q is not UTF-8", text)
		}
	}
	return documents(j)
}

func appendFailure(texts []string, f *job.Failure) []string {
	if f == nil {
		return texts
	}
	return append(texts, f.Code, f.Message, f.Fingerprint, f.Stack)
}

// documents says which of the handler's own documents is none.
func documents(j *job.Job) error {
	for _, d := range []struct {
		name string
		text json.RawMessage
	}{{"payload", j.Payload}, {"checkpoint", j.Checkpoint}, {"result", j.Result}} {
		if len(d.text) > 0 && !json.Valid(d.text) {
			return fmt.Errorf("the %s is no JSON", d.name)
		}
	}
	return nil
}
