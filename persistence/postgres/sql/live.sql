-- Purpose: read jobs that have not ended, whole, a page at a time.
-- Inputs: $1 the id after which to begin, $2 the most to return.
-- Output: the columns that decodeRecord reads, in the order of ids.
-- Atomicity: one statement.
SELECT id, created_at, kind, queue, owner, group_name, batch, array_to_json(tags), priority, policy, life, status, token, rev, node,
       attempt, attempts, crashes, progress, progress_detail, run_at, started_at, updated_at, finished_at, failure,
       artifacts, cancel_by, payload, result, checkpoint
FROM jobs WHERE finished_at IS NULL AND id > $1::uuid
ORDER BY id
LIMIT $2::bigint
