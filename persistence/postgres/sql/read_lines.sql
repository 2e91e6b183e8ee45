-- Purpose: read lines of one channel of a job, oldest first, or the newest ones.
-- Inputs: $1 job, $2 channel, $3 the seq to begin at, $4 the most to return, $5 whether they are to be the newest.
-- Output: seq, at, level, attempt, n, line; newest first if the newest were asked for.
-- Atomicity: one statement.
(SELECT seq, at, level, attempt, n, line FROM job_lines
WHERE NOT $5::boolean AND job_id = $1::uuid AND channel = $2::smallint AND seq >= $3::bigint ORDER BY seq LIMIT $4::bigint)
UNION ALL
(SELECT seq, at, level, attempt, n, line FROM job_lines
WHERE $5::boolean AND job_id = $1::uuid AND channel = $2::smallint AND seq >= $3::bigint ORDER BY seq DESC LIMIT $4::bigint)
