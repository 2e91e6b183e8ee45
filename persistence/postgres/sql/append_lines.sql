-- Purpose: add lines to channels of jobs, each append under its job's fence, and remove the oldest lines of logs that are full.
-- Inputs: of each append $1 job, $2 channel, $3 token, $4 node; of each line $5 the place of its append from 1, $6 seq, $7 at,
-- $8 level, $9 attempt, $10 text; $11 the lines and $12 the bytes that a channel may hold. The lines of an append in ascending order of seq.
-- Output: of each append, in order: the job is there; it takes lines of this token; the lines do not fit; how many older ones
-- were removed. Lines that are there already are left out.
-- Atomicity: one statement. It locks no job, so that nothing that writes jobs waits for it: an append that overlaps with a
-- newer claim's commit is as if it had come before that.
WITH given AS MATERIALIZED (
    SELECT row_number() OVER () AS place, job, channel, token, node
    FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::text[]) AS g(job, channel, token, node)
), found AS MATERIALIZED (
    SELECT g.place, g.job, g.channel, k.id IS NOT NULL AS there,
           coalesce(l.seq, 0) AS last, coalesce(l.n, 0) AS lines, coalesce(l.total, 0) AS bytes,
           k.status NOT IN (6, 7, 8) AND (g.token > k.token OR g.token = k.token AND g.node = k.node)
               AND coalesce(l.seq, 0) < (g.token + 1) * 1000000 AS admitted
    FROM given AS g
    LEFT JOIN LATERAL (SELECT id, status, token, node FROM jobs WHERE id = g.job LIMIT 1) AS k ON true
    LEFT JOIN LATERAL (
        SELECT seq, n, total FROM job_lines WHERE job_id = g.job AND channel = g.channel ORDER BY seq DESC LIMIT 1
    ) AS l ON true
), fresh AS MATERIALIZED (
    SELECT f.place, f.job, f.channel, t.seq, t.at, t.level, t.attempt, t.line,
           f.lines + row_number() OVER so_far AS n, f.bytes + sum(length(t.line)) OVER so_far AS total
    FROM unnest($5::bigint[], $6::bigint[], $7::timestamptz[], $8::smallint[], $9::integer[], $10::bytea[])
         AS t(place, seq, at, level, attempt, line)
    JOIN found AS f ON f.place = t.place AND f.admitted AND t.seq > f.last
    WINDOW so_far AS (PARTITION BY f.place ORDER BY t.seq)
), grown AS MATERIALIZED (
    SELECT f.place, f.job, f.channel, f.last, max(t.n) AS lines, max(t.total) AS bytes,
           f.channel = 2 AND (max(t.n) > $11::bigint OR max(t.total) > $12::bigint) AS overfull
    FROM found AS f JOIN fresh AS t ON t.place = f.place
    GROUP BY f.place, f.job, f.channel, f.last
), added AS (
    INSERT INTO job_lines (job_id, channel, seq, at, level, attempt, n, total, line)
    SELECT t.job, t.channel, t.seq, t.at, t.level, t.attempt, t.n, t.total, t.line
    FROM fresh AS t JOIN grown AS g ON g.place = t.place AND NOT g.overfull
    ORDER BY t.job, t.channel, t.seq
    ON CONFLICT DO NOTHING
), kept AS MATERIALIZED ( -- from which line on a log that is full is kept: what is looked at here is about to go, but for one row
    SELECT g.place, g.job, coalesce((
        SELECT l.seq FROM job_lines AS l
        WHERE l.job_id = g.job AND l.channel = 1 AND l.n > g.lines - $11::bigint AND g.bytes - l.total + length(l.line) <= $12::bigint
        ORDER BY l.seq LIMIT 1
    ), g.last + 1) AS since
    FROM grown AS g
    WHERE g.channel = 1 AND (g.lines > $11::bigint OR g.bytes > $12::bigint)
), dropped AS (
    DELETE FROM job_lines AS l USING kept AS k
    WHERE l.job_id = k.job AND l.channel = 1 AND l.seq < k.since
    RETURNING k.place
)
SELECT f.there, coalesce(f.admitted, false), coalesce(g.overfull, false), (SELECT count(*) FROM dropped AS d WHERE d.place = f.place)
FROM found AS f LEFT JOIN grown AS g ON g.place = f.place
ORDER BY f.place
