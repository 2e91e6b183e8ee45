package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/meta-ad-studio/troupe/persistence/storetest"
)

// fill is storetest's crowd: ?1 how many, ?2 when the first was made, in milliseconds since 1970.
var fill = inline("fill", `
INSERT INTO jobs (id, kind, queue, priority, owner, tags, batch, max_attempts, max_crashes, backoff_base, backoff_max, timeout, created_at,
    life, status, token, rev, node, attempt, attempts, crashes, run_at, started_at, updated_at, finished_at, fingerprint, progress, failure, result, payload)
SELECT unhex(printf('%012x70008%015x', ms, i)),
    CASE WHEN i % 500000 = 250000 THEN 'rare' WHEN i % 7 = 0 THEN 'mail' ELSE 'video.generate' END,
    'q' || (i % 6), 1,
    CASE WHEN i % 10 = 0 THEN 'big' WHEN i % 2 = 0 THEN NULL ELSE 'u' || (i % 2000) END,
    CASE WHEN i % 100000 = 0 THEN '["spring","odd"]' WHEN i % 20 = 0 THEN '["spring"]' END,
    CASE WHEN i < ?1 / 10 THEN 'b' || (i / 1000) END, 3, 3, 1000000000, 60000000000, 0, ms * 1000,
    1, status, 1, 1000002, 'node-1', 1, 1, 0, ms * 1000, ms * 1000, ms * 1000,
    CASE WHEN status IN ('completed', 'failed', 'cancelled') THEN ms * 1000 + 3000000 END,
    CASE WHEN status = 'failed' THEN printf('f%08d', i % 40) END,
    CASE WHEN status = 'completed' THEN '{"pct":100}' END,
    CASE WHEN status = 'failed' THEN printf('{"code":"error","message":"provider %d said no","fingerprint":"f%08d"}', i % 40, i % 40) END,
    CASE WHEN status = 'completed' THEN '{"videoUrl":"https://videos.example/v/1.mp4"}' END,
    printf('{"prompt":"a red bicycle by the sea, slow pan, %s%d","campaign":"c%d","meta":{"shot":"s%d"}}', replace(hex(zeroblob(11)), '00', 'soft light, '),
        i, i % 5000, i % 300000)
FROM (
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
    SELECT i, ?2 + i * 2000 AS ms,
        CASE WHEN i >= ?1 * 99 / 100 AND i % 2 = 0 THEN 'queued' WHEN i % 50 = 0 THEN 'failed' WHEN i % 400 = 1 THEN 'cancelled'
            WHEN i % 1000 = 3 THEN 'scheduled' ELSE 'completed' END AS status
    FROM n
)`)

var fillTags = inline("fill tags", "INSERT INTO job_tags (tag, job) SELECT json_each.value, jobs.id FROM jobs, json_each(jobs.tags) WHERE tags IS NOT NULL")

// BenchmarkQueries tells how long a file with storetest.CrowdSize jobs takes for what people ask.
func BenchmarkQueries(b *testing.B) {
	db, err := Open(b.Context(), filepath.Join(b.TempDir(), "crowd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	n := storetest.CrowdSize()
	err = db.writer.do(b.Context(), "fill", n, func(c *change) error {
		if _, err := c.exec(fill, n, storetest.CrowdBegin(n).UnixMilli()); err != nil {
			return err
		}
		_, err := c.exec(fillTags)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	storetest.MeasureQueries(b, db.Store())
}
