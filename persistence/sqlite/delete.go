package sqlite

import (
	"context"
	"time"

	"github.com/meta-ad-studio/troupe/actors/job"
	"github.com/meta-ad-studio/troupe/persistence"
)

var (
	deleteJobs   = load("delete_jobs")
	deleteEvents = inline("delete events", "DELETE FROM job_events WHERE job IN (SELECT unhex(value) FROM json_each(?1))")
	deleteLines  = inline("delete lines", "DELETE FROM job_lines WHERE job IN (SELECT unhex(value) FROM json_each(?1))")
	weighLines   = inline("weigh lines", `SELECT id,
	coalesce((SELECT min(n, ?2) FROM job_lines WHERE job = ids.id AND channel = 1 ORDER BY seq DESC LIMIT 1), 0) +
	coalesce((SELECT min(n, ?2) FROM job_lines WHERE job = ids.id AND channel = 2 ORDER BY seq DESC LIMIT 1), 0)
FROM (SELECT unhex(value) AS id FROM json_each(?1)) AS ids`)
	deleteTag   = inline("delete tag", "DELETE FROM job_tags WHERE tag = ?1 AND job = ?2")
	endedBefore = inline("find ended jobs", "SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < ?1 ORDER BY finished_at LIMIT ?2")
)

// Delete implements persistence.Store.
func (s store) Delete(ctx context.Context, ids []job.ID) (removed []job.ID, err error) {
	const doing = "delete jobs"
	if err := within(doing, len(ids)); err != nil || len(ids) == 0 {
		return nil, err
	}
	for err == nil && len(ids) > 0 {
		var gone []job.ID
		var part int
		err = s.writer.do(ctx, doing, len(ids), func(c *change) (err error) {
			if part, err = c.removalPart(ids); err == nil {
				gone, err = c.delete(ids[:part])
			}
			return err
		})
		if err == nil {
			removed, ids = append(removed, gone...), ids[part:]
		}
	}
	if len(removed) > 0 { // the rest was not done in time
		return removed, nil
	}
	return nil, err
}

// maxRemovedLines bounds the lines that go in one transaction: others wait for it.
const maxRemovedLines = 20_000

// removalPart is how many of the jobs one transaction removes.
func (c *change) removalPart(ids []job.ID) (int, error) {
	lines := map[job.ID]int64{}
	err := c.read(weighLines, []any{idList(ids), persistence.MaxLines}, func(r row) error { lines[r.id(0)] = r.int64(1); return nil })
	return persistence.RemovalPart(ids, lines, maxRemovedLines), err
}

// Prune implements persistence.Store.
func (s store) Prune(ctx context.Context, before time.Time, limit int) (removed []job.ID, err error) {
	limit = max(limit, 0)
	for more := true; more && err == nil; {
		var gone []job.ID
		gone, more, err = s.prunePart(ctx, before, limit-len(removed))
		removed = append(removed, gone...)
	}
	if len(removed) > 0 { // the rest was not done in time
		return removed, nil
	}
	return nil, err
}

// prunePart prunes as much as one transaction should, and says whether there is more.
func (s store) prunePart(ctx context.Context, before time.Time, limit int) (removed []job.ID, more bool, err error) {
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
		part, err := c.removalPart(ids)
		if err != nil {
			return err
		}
		more = part < len(ids)
		removed, err = c.delete(ids[:part])
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return removed, more, nil
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
