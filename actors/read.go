package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// Get reads one job, as fresh as anybody knows it: the store's row, and the progress published since. A job accepted a moment ago, whose
// row is still on its way, is found, too. While the store is down, what was last published answers. ErrNotFound if there is
// no such job.
func (a *App) Get(ctx context.Context, id job.ID) (job.Job, error) {
	for pause := 20 * time.Millisecond; ; pause *= 2 {
		record, err := a.record(ctx, id)
		fresh := time.Since(id.Time()) < time.Second // another node may have accepted it just now
		if !errors.Is(err, persistence.ErrNotFound) || !fresh {
			return record.Job, err
		}
		select {
		case <-ctx.Done():
			return job.Job{}, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// record reads one row, without waiting.
func (a *App) record(ctx context.Context, id job.ID) (persistence.Record, error) {
	records, err := a.config.Store.Get(ctx, []job.ID{id})
	switch {
	case err != nil:
		if view, ok := a.lastView(ctx, id); ok {
			return persistence.Record{Job: fromView(view)}, nil
		}
		return persistence.Record{}, err
	case len(records) == 0:
		if j, ok := a.unsaved.Load(id); ok {
			return persistence.Record{Job: *j.(*job.Job)}, nil
		}
		return persistence.Record{}, fmt.Errorf("job %s: %w", id, persistence.ErrNotFound)
	}
	r := records[0]
	if r.Job.Status.Running() {
		if view, ok := a.lastView(ctx, id); ok {
			freshen(&r.Job, view)
		}
	}
	return r, nil
}

func (a *App) lastView(ctx context.Context, id job.ID) (job.View, bool) {
	last, err := a.config.Bus.Last(ctx, []job.ID{id})
	if err != nil || len(last) == 0 || last[0] == nil {
		return job.View{}, false
	}
	var view job.View
	if err := json.Unmarshal(last[0], &view); err != nil {
		a.log.Warn("a published state can't be read", "job", id, "error", err)
		return job.View{}, false
	}
	return view, true
}

// freshen takes over what was published of a running job since its row was written, if it was: progress, and that somebody asked to cancel
// it.
func freshen(j *job.Job, v job.View) {
	asked := v.Cancel != nil && j.Status == job.Processing
	if v.Run != j.Life || v.Version <= j.Rev || v.Status != j.Status && (!asked || v.Status != job.Cancelling) {
		return
	}
	overlay(j, v)
	if asked { // the number is that of word which the row's status does not tell of
		j.Rev--
		if j.Cancel == nil {
			j.Cancel = new(v.Cancel.Cancel)
		}
	}
}

// overlay takes over what a published state knows better than the row: progress.
func overlay(j *job.Job, v job.View) {
	j.Rev, j.Updated = v.Version, v.UpdatedAt
	j.Progress = job.Progress{
		Percent: v.Progress, Stage: v.Stage, StageIndex: v.StageIndex, StageCount: v.StageCount, Note: v.Message,
		ETA: job.Duration(time.Duration(v.ETA) * time.Millisecond),
	}
}

// fromView is as much of a job as was published.
func fromView(v job.View) job.Job {
	j := job.Job{
		ID: v.ID, Kind: v.Kind, Queue: v.Queue, Priority: v.Priority, Owner: v.Owner, Tags: v.Tags, Group: v.Group, Batch: v.Batch,
		Created: v.CreatedAt, Life: v.Run, Status: v.Status, Node: v.Node, Attempt: v.Attempt, Crashes: v.Crashes, Result: v.Result,
		RunAt: v.RunAt, Started: v.StartedAt, Finished: v.CompletedAt,
	}
	j.Policy.MaxAttempts = v.MaxAttempts
	if v.Error != nil {
		j.Failure = &job.Failure{Code: v.Error.Code, Message: v.Error.Message, Fingerprint: v.Error.Fingerprint}
	}
	for _, art := range v.Artifacts {
		j.Artifacts = append(j.Artifacts, job.Artifact{Name: art.Name, Type: art.Type, Bytes: art.Bytes})
	}
	overlay(&j, v)
	if v.Cancel != nil {
		j.Cancel = new(v.Cancel.Cancel)
		if v.Status != job.Cancelling && v.Status != job.Cancelled {
			j.Rev-- // see job.Job.View
		}
	}
	return j
}

// List reads one page of jobs, newest first, without results and checkpoints.
func (a *App) List(ctx context.Context, q persistence.Query) (persistence.Page, error) {
	return a.config.Store.List(ctx, q)
}

// DeadGroups counts the newest dead letters by what they have in common.
func (a *App) DeadGroups(ctx context.Context, q persistence.Query) (persistence.Groups, error) {
	return a.config.Store.DeadGroups(ctx, q)
}

// History reads a job's transitions, oldest first. When the commit of the first claim overtook that of the acceptance, the line
// of the latter was refused with it: then the row tells it.
func (a *App) History(ctx context.Context, id job.ID) ([]job.Transition, error) {
	lines, err := a.config.Store.History(ctx, id)
	if err != nil || len(lines) > 0 && lines[0].Rev == 1 {
		return lines, err
	}
	j, err := a.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	first := job.Transition{Rev: 1, At: j.Created, Event: "Submitted", Status: job.Queued, Life: 1}
	return append([]job.Transition{first}, lines...), nil
}

// OpenArtifact opens a file that the job's record names. ErrNotFound if it names none, or the file is gone.
func (a *App) OpenArtifact(ctx context.Context, id job.ID, name string) (job.Artifact, persistence.ArtifactFile, error) {
	j, err := a.Get(ctx, id)
	if err != nil {
		return job.Artifact{}, nil, err
	}
	for _, art := range j.Artifacts {
		if art.Name == name {
			file, err := a.config.Artifacts.Open(ctx, id, art.Token, name)
			return art, file, err
		}
	}
	return job.Artifact{}, nil, fmt.Errorf("artifact %.80q of job %s: %w", name, id, persistence.ErrNotFound)
}

// Ready says, for each thing the node needs, whether it is there, and whether the node can do its work: accept and claim.
func (a *App) Ready(ctx context.Context) (checks map[string]string, ok bool) {
	checks = map[string]string{"store": "ok", "inbox": "ok", "node": "ok"}
	if err := a.config.Store.Ping(ctx); err != nil {
		checks["store"] = err.Error()
	}
	if err := a.config.Inbox.Ping(ctx); err != nil {
		checks["inbox"] = err.Error()
	}
	if !a.open() {
		checks["node"] = ErrClosed.Error()
	}
	return checks, checks["inbox"] == "ok" && checks["node"] == "ok"
}
