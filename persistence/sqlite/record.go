package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// The columns of a record, in the order in which record reads them. A summary lacks the documents of the handler's own.
const (
	summaryColumns = `id, kind, queue, priority, owner, tags, group_name, batch, max_attempts, max_crashes, backoff_base, backoff_max, timeout,
created_at, life, status, token, rev, node, attempt, attempts, crashes, run_at, started_at, updated_at, finished_at, cancel_by,
progress, failure, artifacts`
	// payloadColumns follow a summary: the payload, and whether it is too large to be listed.
	payloadColumns = `, iif(octet_length(payload) <= 4096, payload, NULL), coalesce(octet_length(payload) > 4096, 0)`
	recordColumns  = summaryColumns + `, checkpoint, result, payload`
)

// summary reads a row of summaryColumns.
func (r row) summary() (persistence.Record, error) {
	j := job.Job{
		ID: r.id(0), Kind: r.text(1), Queue: r.text(2), Priority: r.int(3), Owner: r.text(4), Group: r.text(6), Batch: r.text(7),
		Policy: job.Policy{
			MaxAttempts: r.int(8), MaxCrashes: r.int(9),
			Backoff: job.Backoff{Base: job.Duration(r.int64(10)), Max: job.Duration(r.int64(11))}, Timeout: job.Duration(r.int64(12)),
		},
		Created: r.time(13), Life: r.int(14), Token: r.int64(16), Rev: r.int64(17), Node: r.text(18),
		Attempt: r.int(19), Attempts: r.int(20), Crashes: r.int(21),
		RunAt: r.time(22), Started: r.time(23), Updated: r.time(24), Finished: r.time(25),
	}
	status, err := job.ParseStatus(r.text(15))
	j.Status = status
	err = errors.Join(err, r.decode(5, &j.Tags), r.decode(27, &j.Progress), r.decode(28, &j.Failure), r.decode(29, &j.Artifacts))
	if err != nil {
		return persistence.Record{}, fmt.Errorf("row of job %s: %w", j.ID, err)
	}
	j.Cancel = job.ParseCancel(r.text(26))
	return persistence.Record{Job: j}, nil
}

// record reads a row of recordColumns.
func (r row) record() (persistence.Record, error) {
	record, err := r.summary()
	record.Job.Checkpoint, record.Job.Result, record.Job.Payload = r.document(30), r.document(31), r.document(32)
	return record, err
}

// asked is what a submission fixed, in the order of the columns from kind to created_at.
func asked(j *job.Job) ([]any, error) {
	tags, err := encode(j.Tags, j.Tags == nil)
	if err != nil {
		return nil, err
	}
	return []any{
		j.Kind, j.Queue, j.Priority, textOrNull(j.Owner), tags, textOrNull(j.Group), textOrNull(j.Batch),
		j.Policy.MaxAttempts, j.Policy.MaxCrashes, int64(j.Policy.Backoff.Base), int64(j.Policy.Backoff.Max), int64(j.Policy.Timeout),
		j.Created.UnixMicro(),
	}, nil
}

// stands is what events change, in the order of the columns from life to result.
func stands(j *job.Job) ([]any, error) {
	var fingerprint any
	if j.Failure != nil {
		fingerprint = textOrNull(j.Failure.Fingerprint)
	}
	progress, err1 := encode(j.Progress, j.Progress == job.Progress{})
	failure, err2 := encode(j.Failure, j.Failure == nil)
	artifacts, err3 := encode(j.Artifacts, j.Artifacts == nil)
	return []any{
		j.Life, j.Status.String(), j.Token, j.Rev, j.Node, j.Attempt, j.Attempts, j.Crashes,
		micros(j.RunAt), micros(j.Started), j.Updated.UnixMicro(), micros(j.Finished), fingerprint,
		progress, failure, artifacts, documentOrNull(j.Checkpoint), documentOrNull(j.Result),
	}, errors.Join(err1, err2, err3)
}

// encode is a value as a document, or NULL.
func encode(value any, null bool) (any, error) {
	if null {
		return nil, nil
	}
	data, err := json.Marshal(value)
	return string(data), err
}
