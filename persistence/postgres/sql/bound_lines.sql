-- Purpose: say how much one channel of a job holds.
-- Inputs: $1 job, $2 channel.
-- Output: seq, n, total and length of the oldest line, then of the newest; no row if there are none.
-- Atomicity: one statement.
(SELECT seq, n, total, length(line) FROM job_lines WHERE job_id = $1::uuid AND channel = $2::smallint ORDER BY seq LIMIT 1)
UNION ALL
(SELECT seq, n, total, length(line) FROM job_lines WHERE job_id = $1::uuid AND channel = $2::smallint ORDER BY seq DESC LIMIT 1)
