package actors

import (
	"encoding/json"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

// frame is a job as the event "job" of a stream carries it.
type frame struct {
	ID        job.ID             `json:"id"`
	Rev       int64              `json:"rev"`
	Run       int                `json:"run"`
	Status    job.Status         `json:"status"`
	Terminal  bool               `json:"terminal"`
	Kind      string             `json:"kind"`
	Queue     string             `json:"queue"`
	Owner     string             `json:"owner"`
	Batch     *string            `json:"batch"`
	Attempt   frameAttempt       `json:"attempt"`
	Crashes   int                `json:"crashes"`
	Progress  frameProgress      `json:"progress"`
	Error     *job.ViewError     `json:"error"`
	Cancel    *job.ViewCancel    `json:"cancel,omitempty"`
	Artifacts []job.ViewArtifact `json:"artifacts"`
	Waiting   *frameWaiting      `json:"waiting"`
	At        frameTimes         `json:"at"`
}

type frameAttempt struct {
	N       int        `json:"n"`
	Max     int        `json:"max"`
	Started *time.Time `json:"started_at"`
	Next    *time.Time `json:"next_at"`
}

type frameProgress struct {
	Percent float64 `json:"pct"`
	Stage   string  `json:"stage"`
	Index   int     `json:"stage_i"`
	Count   int     `json:"stage_n"`
	Note    string  `json:"note"`
	ETA     *int64  `json:"eta_ms"`
}

type frameWaiting struct {
	Reason string     `json:"reason"` // backoff, schedule, queue
	Until  *time.Time `json:"until"`
}

type frameTimes struct {
	Created  time.Time  `json:"created"`
	Updated  time.Time  `json:"updated"`
	Finished *time.Time `json:"finished"`
}

// encodeFrame is a view as one line of JSON.
func encodeFrame(v *job.View) ([]byte, error) {
	f := frame{
		ID: v.ID, Rev: v.Version, Run: v.Run, Status: v.Status, Terminal: v.Terminal, Kind: v.Kind, Queue: v.Queue, Owner: v.Owner,
		Attempt: frameAttempt{N: v.Attempt, Max: v.MaxAttempts, Started: unlessZero(v.StartedAt)}, Crashes: v.Crashes,
		Progress: frameProgress{Percent: v.Progress, Stage: v.Stage, Index: v.StageIndex, Count: v.StageCount, Note: v.Message},
		Cancel:   v.Cancel, Artifacts: v.Artifacts, At: frameTimes{Created: v.CreatedAt, Updated: v.UpdatedAt, Finished: unlessZero(v.CompletedAt)},
	}
	if v.Batch != "" {
		f.Batch = &v.Batch
	}
	if v.ETA > 0 {
		f.Progress.ETA = &v.ETA
	}
	if f.Artifacts == nil {
		f.Artifacts = []job.ViewArtifact{}
	}
	switch v.Status {
	case job.Retrying:
		f.Error, f.Attempt.Next = v.Error, unlessZero(v.RunAt)
		f.Waiting = &frameWaiting{Reason: "backoff", Until: unlessZero(v.RunAt)}
	case job.Scheduled:
		f.Attempt.Next = unlessZero(v.RunAt)
		f.Waiting = &frameWaiting{Reason: "schedule", Until: unlessZero(v.RunAt)}
	case job.Queued:
		f.Waiting = &frameWaiting{Reason: "queue"}
	case job.Failed:
		f.Error = v.Error
	}
	return json.Marshal(&f)
}

func unlessZero(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
