-- Purpose: read a job's history.
-- Inputs: $1 id.
-- Output: the lines of each commit, oldest first; one null if there are none; no row if there is no such job.
-- Atomicity: one statement.
SELECT e.lines FROM jobs AS j LEFT JOIN job_events AS e ON e.job_id = j.id
WHERE j.id = $1::uuid
ORDER BY e.rev
