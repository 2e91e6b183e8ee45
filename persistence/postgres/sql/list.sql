-- Purpose: read one page of jobs, newest first, without what may be large.
-- Inputs: more columns, or none, and the conditions, written in place of %s by listing() in list.go (column names and parameters,
-- never values), and in place of %d the number of the parameter that bounds the rows.
-- Output: the columns that decodeRecord reads, up to the payload.
-- Atomicity: one statement.
SELECT id, created_at, kind, queue, owner, group_name, batch, array_to_json(tags), priority, policy, life, status, token, rev, node,
       attempt, attempts, crashes, progress, progress_detail, run_at, started_at, updated_at, finished_at, failure,
       artifacts, cancel_by%s
FROM jobs WHERE %s
ORDER BY id DESC
LIMIT $%d::bigint
