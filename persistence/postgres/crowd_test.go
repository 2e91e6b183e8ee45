package postgres

import (
	"testing"

	"github.com/meta-ad-studio/troupe/persistence/storetest"
	"github.com/meta-ad-studio/troupe/persistence/storetest/testenv"
)

// fill is storetest's crowd: $1 how many, $2 when the first was made, in milliseconds since 1970.
const fill = `
INSERT INTO jobs (id, created_at, kind, queue, owner, group_name, batch, tags, priority, policy, payload, life, status, token, rev, node,
    attempt, attempts, crashes, progress, run_at, started_at, updated_at, finished_at, dead, fingerprint, failure, result)
SELECT (lpad(to_hex(ms), 12, '0') || '7000' || '8' || lpad(to_hex(i), 15, '0'))::uuid, at,
    CASE WHEN i % 500000 = 250000 THEN 'rare' WHEN i % 7 = 0 THEN 'mail' ELSE 'video.generate' END,
    'q' || i % 6,
    CASE WHEN i % 10 = 0 THEN 'big' WHEN i % 2 = 0 THEN '' ELSE 'u' || i % 2000 END,
    '', CASE WHEN i < $1::bigint / 10 THEN 'b' || i / 1000 ELSE '' END,
    CASE WHEN i % 100000 = 0 THEN ARRAY['spring', 'odd'] WHEN i % 20 = 0 THEN ARRAY['spring'] END,
    1, '{"max_attempts":3,"max_crashes":3,"backoff":{"base":"1s","max":"1m0s"}}',
    json_build_object('prompt', 'a red bicycle by the sea, slow pan, ' || repeat('soft light, ', 11) || i, 'campaign', 'c' || i % 5000,
        'meta', json_build_object('shot', 's' || i % 300000)),
    1, status, 1, 1000002, 'node-1', 1, 1, 0, CASE status WHEN 6 THEN 100 ELSE 0 END, at, at, at,
    CASE WHEN status > 5 THEN at + interval '3 s' END, status = 7,
    CASE WHEN status = 7 THEN 'f' || lpad((i % 40)::text, 8, '0') ELSE '' END,
    CASE WHEN status = 7 THEN json_build_object('code', 'error', 'message', 'provider ' || i % 40 || ' said no', 'fingerprint', 'f' || lpad((i % 40)::text, 8, '0')) END,
    CASE WHEN status = 6 THEN '{"videoUrl":"https://videos.example/v/1.mp4"}'::json END
FROM (
    SELECT i, ms, to_timestamp(ms / 1000.0) AS at,
        CASE WHEN i >= $1::bigint * 99 / 100 AND i % 2 = 0 THEN 2 WHEN i % 50 = 0 THEN 7 WHEN i % 400 = 1 THEN 8 WHEN i % 1000 = 3 THEN 1 ELSE 6 END AS status
    FROM (SELECT i, $2::bigint + i * 2000 AS ms FROM generate_series(0, $1::bigint - 1) AS i) AS times
) AS jobs`

// BenchmarkQueries tells how long a server with storetest.CrowdSize jobs takes for what people ask.
func BenchmarkQueries(b *testing.B) {
	server := testenv.StartPostgres(b, testenv.Options{Args: []string{"-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"}})
	s := open(b, Config{URL: server.URL})
	c := connect(b, s)
	n := storetest.CrowdSize()
	for _, statement := range []string{"SET statement_timeout = 0", "SET maintenance_work_mem = '256MB'"} {
		if _, err := c.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := c.Exec(b.Context(), fill, n, storetest.CrowdBegin(n).UnixMilli()); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Exec(b.Context(), "VACUUM ANALYZE jobs"); err != nil {
		b.Fatal(err)
	}
	storetest.MeasureQueries(b, s)
}
