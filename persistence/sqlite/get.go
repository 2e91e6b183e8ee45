package sqlite

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	getJobs = inline("get jobs", "SELECT "+recordColumns+
		" FROM (SELECT key AS place, value FROM json_each(?1)) AS ids CROSS JOIN jobs ON id = unhex(value) ORDER BY place")
	liveJobs = inline("live jobs", "SELECT "+recordColumns+
		" FROM jobs WHERE finished_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2")
	readHistory = inline("read history", "SELECT transitions FROM job_events WHERE job = ?1 ORDER BY rev")
	jobExists   = inline("look for job", "SELECT 1 FROM jobs WHERE id = ?1")
	askToStop   = inline("ask to stop", "UPDATE jobs SET cancel_by = coalesce(cancel_by, ?2) WHERE id = ?1 AND finished_at IS NULL")
)

// Get implements persistence.Store.
func (s store) Get(ctx context.Context, ids []job.ID) ([]persistence.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.records(ctx, "get jobs", getJobs, idList(ids))
}

// Live implements persistence.Store.
func (s store) Live(ctx context.Context, after job.ID, limit int) ([]persistence.Record, error) {
	return s.records(ctx, "read live jobs", liveJobs, after[:], max(limit, 0))
}

func (s store) records(ctx context.Context, doing string, q *query, args ...any) (records []persistence.Record, err error) {
	err = s.readers.read(ctx, doing, q, args, func(r row) error {
		record, err := r.record()
		records = append(records, record)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// History implements persistence.Store.
func (s store) History(ctx context.Context, id job.ID) (lines []job.Transition, err error) {
	const doing = "read history"
	err = s.readers.use(ctx, doing, func(c *connection) error {
		err := c.read(ctx, readHistory, []any{id[:]}, func(r row) error {
			var some []job.Transition
			err := json.Unmarshal([]byte(r.text(0)), &some)
			lines = append(lines, some...)
			return err
		})
		if err != nil || len(lines) > 0 {
			return err
		}
		err = notFound(id)
		if found := c.read(ctx, jobExists, []any{id[:]}, func(row) error { err = nil; return nil }); found != nil {
			return found
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return lines, nil
}

// RequestCancel implements persistence.Store. Of several requests the first is kept.
func (s store) RequestCancel(ctx context.Context, id job.ID, word job.Cancel) (persistence.Record, error) {
	text, err := persistence.CancelText(word)
	if err != nil {
		return persistence.Record{}, err
	}
	const doing = "request cancellation"
	err = s.writer.do(ctx, doing, 1, func(c *change) error {
		_, err := c.exec(askToStop, id[:], text)
		return err
	})
	if err != nil {
		return persistence.Record{}, err
	}
	records, err := s.Get(ctx, []job.ID{id})
	if err != nil {
		return persistence.Record{}, err
	}
	if len(records) == 0 {
		return persistence.Record{}, fmt.Errorf("%s: %w", doing, notFound(id))
	}
	return records[0], nil
}

// Watch implements persistence.Store. The file is ours alone, so nobody else ever puts a job into it.
func (s store) Watch(ctx context.Context, _ func(job.ID)) error {
	return s.untilEnd(ctx, "watch the store")
}

func notFound(id job.ID) error { return fmt.Errorf("job %s: %w", id, persistence.ErrNotFound) }
