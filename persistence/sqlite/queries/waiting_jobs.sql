-- The claimable jobs of a queue in the order of claims: queued, or scheduled and retrying from their due time on.
-- In: 1 queue, 2 now, 3 how many live jobs of all queues to look at, oldest first, 4 how many at most.
-- Out: one row a job: id. Cost: a row of the table for each live job looked at.
SELECT id
FROM (SELECT id, queue, priority, status, run_at FROM jobs WHERE finished_at IS NULL ORDER BY id LIMIT ?3)
WHERE queue = ?1 AND (status = 'queued' OR status IN ('scheduled', 'retrying') AND run_at <= ?2)
ORDER BY priority, id
LIMIT ?4;
