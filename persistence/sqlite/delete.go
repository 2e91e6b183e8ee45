package sqlite

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
)

var (
	deleteJobs   = load("delete_jobs")
	deleteEvents = inline("delete events", "DELETE FROM job_events WHERE job IN (SELECT unhex(value) FROM json_each(?1))")
	deleteLines  = inline("delete lines", "DELETE FROM job_lines WHERE job IN (SELECT unhex(value) FROM json_each(?1))")
	deleteTag    = inline("delete tag", "DELETE FROM job_tags WHERE tag = ?1 AND job = ?2")
	endedBefore  = inline("find ended jobs", "SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < ?1 ORDER BY finished_at LIMIT ?2")
)

// Delete implements persistence.Store.
func (s store) Delete(ctx context.Context, ids []job.ID) (removed []job.ID, err error) {
	const doing = "delete jobs"
	if err := within(doing, len(ids)); err != nil || len(ids) == 0 {
		return nil, err
	}
	err = s.writer.do(ctx, doing, len(ids), func(c *change) (err error) {
		removed, err = c.delete(ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

// Prune implements persistence.Store.
func (s store) Prune(ctx context.Context, before time.Time, limit int) (removed []job.ID, err error) {
	limit = max(limit, 0)
	err = s.writer.do(ctx, "prune", limit, func(c *change) error {
		var ids []job.ID
		err := c.read(endedBefore, []any{before.UnixMicro(), limit}, func(r row) error { ids = append(ids, r.id(0)); return nil })
		if err != nil {
			return err
		}
		for _, keys := range []keyTable{storeKeys, inboxKeys} {
			if _, err := c.exec(keys.expire, c.now.UnixMicro(), limit); err != nil {
				return err
			}
		}
		removed, err = c.delete(ids)
		return err
	})
	if err != nil {
		return nil, err
	}
	return removed, nil
}

// delete removes those of the jobs that have ended, and answers which, in the order of the ids.
func (c *change) delete(ids []job.ID) ([]job.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	gone := make(map[job.ID][]string, len(ids))
	err := c.read(deleteJobs, []any{idList(ids)}, func(r row) error {
		var tags []string
		err := r.decode(1, &tags)
		gone[r.id(0)] = tags
		return err
	})
	if err != nil {
		return nil, err
	}
	for id, tags := range gone {
		for _, tag := range tags {
			if _, err := c.exec(deleteTag, tag, id[:]); err != nil {
				return nil, err
			}
		}
	}
	removed := make([]job.ID, 0, len(gone))
	for _, id := range ids {
		if _, ok := gone[id]; ok {
			removed = append(removed, id)
			delete(gone, id)
		}
	}
	if _, err = c.exec(deleteLines, idList(removed)); err != nil {
		return nil, err
	}
	_, err = c.exec(deleteEvents, idList(removed))
	return removed, err
}
