-- Leases the jobs of a queue that are next: smallest priority first, then longest waiting.
-- In: 1 queue number, 2 node, 3 end of the lease, 4 how many at most.
-- Out: one row a job, in no order: priority, seq, id, token, crashes, cancel, envelope, life.
UPDATE inbox
SET state = 3, token = token + 1, node = ?2, due = ?3
WHERE n IN (SELECT n FROM inbox WHERE queue = ?1 AND state = 1 ORDER BY priority, seq LIMIT ?4)
RETURNING priority, seq, id, token, crashes, cancel, envelope, life;
