package job

import (
	"encoding/json"
	"time"
)

// View is a job as the outside sees it: the resource of the HTTP interface, the value of the key job:<id>, the message on
// the channel job:<id>, and what nodes tell each other. Names and meanings are a public contract.
type View struct {
	ID          ID              `json:"id"`
	Version     int64           `json:"version"` // only grows; the same number as rev on streams, see Job.View
	Run         int             `json:"run"`     // the life: 1, and one more with each redrive
	Kind        string          `json:"kind"`
	Queue       string          `json:"queue"`
	Status      Status          `json:"status"`
	Terminal    bool            `json:"terminal"`
	Priority    int             `json:"priority"`
	Attempt     int             `json:"attempt"` // number of the attempt that runs or ran last; 0 before the first
	MaxAttempts int             `json:"max_attempts"`
	Crashes     int             `json:"crashes"`
	Progress    float64         `json:"progress"` // percent, 0 to 100
	Stage       string          `json:"stage,omitempty"`
	StageIndex  int             `json:"stage_i,omitempty"`
	StageCount  int             `json:"stage_n,omitempty"`
	Message     string          `json:"message,omitempty"`
	ETA         int64           `json:"eta_ms,omitempty"`
	Payload     json.RawMessage `json:"payload,omitempty"`
	Result      json.RawMessage `json:"result,omitempty"`
	Error       *ViewError      `json:"error,omitempty"`
	Cancel      *ViewCancel     `json:"cancel,omitempty"` // absent if nobody asked
	Checkpoint  json.RawMessage `json:"checkpoint,omitempty"`
	Artifacts   []ViewArtifact  `json:"artifacts,omitempty"`
	Owner       string          `json:"owner,omitempty"`
	Tags        []string        `json:"tags,omitempty"`
	Group       string          `json:"group,omitempty"`
	Batch       string          `json:"batch,omitempty"`
	Node        string          `json:"node,omitempty"`
	CreatedAt   time.Time       `json:"created_at"`
	StartedAt   time.Time       `json:"started_at,omitzero"`
	UpdatedAt   time.Time       `json:"updated_at"`
	CompletedAt time.Time       `json:"completed_at,omitzero"` // set on every terminal status
	RunAt       time.Time       `json:"run_at,omitzero"`
}

// ViewError is a failure without its stack.
type ViewError struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// ViewCancel is a request to stop the job, and what has become of it.
type ViewCancel struct {
	State CancelState `json:"state"`
	Cancel
}

// ViewArtifact is a file of the job's and where to fetch it.
type ViewArtifact struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	URL   string `json:"url"`
	Bytes int64  `json:"bytes"`
}

// maxStreamedResult is the largest result that travels with every change; a larger one is read from the resource.
const maxStreamedResult = 4 << 10

// View is the job for keys, channels and streams: without its payload and checkpoint, and with its result only if that is
// small.
//
// Word of a request to cancel comes to a job's row outside the fence, and so changes no rev. A job that has it without its rev telling
// of it has the next number for its version: whoever was shown the job before that is shown it again. A running job is cancelling from
// then on. Its holder's own next word has that number, too, if it is that it has heard; the number of an end is always greater, and an end has
// one number whether word of a request is known with it or not, so that nobody is shown two.
func (j *Job) View() (v View) {
	v = View{
		ID: j.ID, Version: j.Rev, Run: j.Life, Kind: j.Kind, Queue: j.Queue, Status: j.Status, Terminal: j.Status.Terminal(),
		Priority: j.Priority, Attempt: j.Attempt, MaxAttempts: j.Policy.MaxAttempts, Crashes: j.Crashes,
		Progress: j.Progress.Percent, Stage: j.Progress.Stage, StageIndex: j.Progress.StageIndex, StageCount: j.Progress.StageCount,
		Message: j.Progress.Note, ETA: time.Duration(j.Progress.ETA).Milliseconds(),
		Owner: j.Owner, Tags: j.Tags, Group: j.Group, Batch: j.Batch, Node: j.Node,
		CreatedAt: j.Created, StartedAt: j.Started, UpdatedAt: j.Updated, CompletedAt: j.Finished, RunAt: j.RunAt,
	}
	if len(j.Result) <= maxStreamedResult {
		v.Result = j.Result
	}
	if j.Failure != nil {
		v.Error = &ViewError{Code: j.Failure.Code, Message: j.Failure.Message, Fingerprint: j.Failure.Fingerprint}
	}
	if j.Cancel != nil || j.Status == Cancelling || j.Status == Cancelled {
		v.cancel(j)
	}
	for _, a := range j.Artifacts {
		v.Artifacts = append(v.Artifacts, ViewArtifact{Name: a.Name, Type: a.Type, Bytes: a.Bytes, URL: ArtifactURL(j.ID, a.Name)})
	}
	return v
}

func (v *View) cancel(j *Job) {
	v.Cancel = &ViewCancel{State: j.CancelState()}
	if j.Cancel != nil {
		v.Cancel.Cancel = *j.Cancel
	}
	if j.unheard() && !v.Terminal {
		v.Version++
		if v.Status == Processing {
			v.Status = Cancelling
		}
	}
}

// FullView is the job as its own resource: with payload, result and checkpoint.
func (j *Job) FullView() (v View) {
	v = j.View()
	v.Payload, v.Result, v.Checkpoint = j.Payload, j.Result, j.Checkpoint
	return v
}

// ArtifactURL is the path under which the HTTP interface serves an artifact.
func ArtifactURL(id ID, name string) string { return "/v1/jobs/" + id.String() + "/artifacts/" + name }

// ValidName says whether a string may name a kind, queue, tag, group, batch or artifact: 1 to MaxName bytes of
// letters, digits and "._-", beginning with a letter or digit. It is safe in keys, paths, labels and URLs.
func ValidName(s string) bool {
	if s == "" || len(s) > MaxName {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}
