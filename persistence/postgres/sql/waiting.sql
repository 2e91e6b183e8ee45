-- Purpose: read which jobs of a queue are claimable, in the order of claims.
-- Inputs: $1 the queue, $2 the most to return, $3 how many live jobs of all queues to look at, oldest first.
-- Output: ids. Statuses: 2 is queued; 1 and 4, scheduled and retrying, are claimable from their due time on.
-- Atomicity: one statement.
SELECT id
FROM (
    SELECT id, queue, priority, status, run_at FROM jobs WHERE finished_at IS NULL ORDER BY id LIMIT $3::bigint
) AS live
WHERE queue = $1::text AND (status = 2 OR status IN (1, 4) AND run_at <= now())
ORDER BY priority, id
LIMIT $2::bigint
