package storetest

import (
	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

// storedJob is one job: the row as it must be, and what its holders think of it.
type storedJob struct {
	row     *job.Job // nil before the first commit; its Cancel is the word on the row
	history []job.Transition
	views   []*view
}

// view is one node's knowledge of a job under one token: it alone continues it, so no two writes of equal fence differ.
type view struct {
	job     job.Job
	pending []job.Transition // not committed yet
}

// holds says whether the job's node has a view under the token already.
func (j *storedJob) holds(other *job.Job) bool {
	for _, v := range j.views {
		if v.job.Life == other.Life && v.job.Token == other.Token && v.job.Node == other.Node {
			return true
		}
	}
	return false
}

// write is the rule of the fence.
func (j *storedJob) write(w persistence.Write, seen tally) persistence.Outcome {
	var asked *job.Cancel
	if j.row == nil {
		seen["new rows"]++
	} else {
		row, write := persistence.FenceOf(j.row), persistence.FenceOf(&w.Job)
		if row == write {
			seen["repeated"]++
			return persistence.Outcome{Applied: true}
		}
		if !row.Admits(write) {
			seen["refused"]++
			if row.Status.Terminal() {
				seen["refused: ended"]++
			} else if row.Token == write.Token && row.Node != write.Node {
				seen["refused: equal token"]++
			}
			return persistence.Outcome{Current: row}
		}
		seen["applied"]++
		if write.Life > row.Life {
			seen["redriven"]++
		} else {
			asked = j.row.Cancel
		}
	}
	row := w.Job
	row.Cancel = asked
	j.row = &row
	j.history = append(j.history, w.History...)
	return persistence.Outcome{Applied: true}
}
