package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	lookupFences = load("lookup_fences")
	insertJob    = load("insert_job")
	updateJob    = load("update_job")
	insertTag    = inline("insert tag", "INSERT OR IGNORE INTO job_tags (tag, job) VALUES (?1, ?2)")
	insertEvents = inline("insert events", "INSERT INTO job_events (job, rev, transitions) VALUES (?1, ?2, ?3)")
)

// encoded is a write made ready by its caller, so that the writer has only to bind it.
type encoded struct {
	*persistence.Write
	asked, stands []any
	payload       any
	history       string // empty: none
}

// prepare checks and encodes writes. What the store can never take is ErrInvalid, and names the job.
func prepare(doing string, writes []persistence.Write) ([]encoded, error) {
	if err := within(doing, len(writes)); err != nil {
		return nil, err
	}
	ready := make([]encoded, len(writes))
	seen := make(map[job.ID]struct{}, len(writes))
	for n := range writes {
		w := &writes[n]
		if _, twice := seen[w.Job.ID]; twice {
			return nil, fmt.Errorf("%s: %w: two writes of job %s", doing, persistence.ErrInvalid, w.Job.ID)
		}
		seen[w.Job.ID] = struct{}{}
		var err error
		if ready[n], err = encodeWrite(w); err != nil {
			return nil, fmt.Errorf("%s job %s: %w: %w", doing, w.Job.ID, persistence.ErrInvalid, err)
		}
	}
	return ready, nil
}

func encodeWrite(w *persistence.Write) (encoded, error) {
	if err := takeable(w); err != nil {
		return encoded{}, err
	}
	asked, err1 := asked(&w.Job)
	stands, err2 := stands(&w.Job)
	history, err3 := encodeHistory(w.History)
	return encoded{w, asked, stands, documentOrNull(w.Job.Payload), history}, errors.Join(err1, err2, err3)
}

func encodeHistory(lines []job.Transition) (string, error) {
	if len(lines) == 0 {
		return "", nil
	}
	data, err := json.Marshal(lines)
	return string(data), err
}

// stored is what the store has of a job: its row and its fence.
type stored struct {
	n       int64
	fence   persistence.Fence
	updated int64 // microseconds since 1970
}

// fences reads what the store has of the jobs, in the order of the ids; nil where it has nothing.
func (c *change) fences(ids []job.ID) ([]*stored, error) {
	found := make([]*stored, len(ids))
	err := c.read(lookupFences, []any{idList(ids)}, func(r row) error {
		status, err := job.ParseStatus(r.text(3))
		found[r.int(0)] = &stored{n: r.int64(1), fence: persistence.Fence{
			Life: r.int(2), Status: status, Token: r.int64(4), Node: r.text(5), Rev: r.int64(6),
		}, updated: r.int64(7)}
		return err
	})
	return found, err
}

// put makes a write if the fence admits it.
func (c *change) put(w *encoded, was *stored) (persistence.Outcome, error) {
	if was == nil {
		return persistence.Outcome{Applied: true}, c.putNew(w)
	}
	fence := persistence.FenceOf(&w.Job)
	switch {
	case was.fence == fence && was.updated == w.Job.Updated.UnixMicro():
		return persistence.Outcome{Applied: true}, nil
	case !was.fence.Admits(fence):
		return persistence.Outcome{Current: was.fence}, nil
	}
	if _, err := c.exec(updateJob, append(w.stands[:len(w.stands):len(w.stands)], was.n)...); err != nil {
		return persistence.Outcome{}, err
	}
	history := w.history
	if len(w.History) > 0 && w.History[0].Rev <= was.fence.Rev {
		var err error
		if history, err = encodeHistory(newer(w.History, was.fence.Rev)); err != nil {
			return persistence.Outcome{}, err
		}
	}
	return persistence.Outcome{Applied: true}, c.putHistory(&w.Job, history)
}

func (c *change) putNew(w *encoded) error {
	args := make([]any, 0, len(w.asked)+len(w.stands)+2)
	args = append(append(append(append(args, w.Job.ID[:]), w.asked...), w.stands...), w.payload)
	if _, err := c.exec(insertJob, args...); err != nil {
		return err
	}
	for _, tag := range w.Job.Tags {
		if _, err := c.exec(insertTag, tag, w.Job.ID[:]); err != nil {
			return err
		}
	}
	return c.putHistory(&w.Job, w.history)
}

func (c *change) putHistory(j *job.Job, history string) error {
	if history == "" {
		return nil
	}
	_, err := c.exec(insertEvents, j.ID[:], j.Rev, history)
	return err
}

// newer leaves out the lines that an earlier write already brought: one whose answer was lost, and that was repeated together with what
// came after it.
func newer(lines []job.Transition, rev int64) []job.Transition {
	for len(lines) > 0 && lines[0].Rev <= rev {
		lines = lines[1:]
	}
	return lines
}
