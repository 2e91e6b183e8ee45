-- Purpose: read jobs by id, whole.
-- Inputs: $1 ids.
-- Output: the columns that decodeRecord reads, of those that are there, in any order.
-- Atomicity: one statement.
SELECT id, created_at, kind, queue, owner, group_name, batch, array_to_json(tags), priority, policy, life, status, token, rev, node,
       attempt, attempts, crashes, progress, progress_detail, run_at, started_at, updated_at, finished_at, failure,
       artifacts, cancel_by, payload, result, checkpoint
FROM jobs WHERE id = ANY ($1::uuid[])
