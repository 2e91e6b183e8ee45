-- Leases jobs of one priority that are parked under a name, those made first.
-- In: 1 queue number, 2 node, 3 end of the lease, 4 how many at most, 5 name, 6 priority.
-- Out: one row a job, in no order: priority, seq, id, token, crashes, cancel, envelope, life.
UPDATE inbox
SET state = 3, token = token + 1, node = ?2, due = ?3
WHERE n IN (SELECT n FROM inbox WHERE queue = ?1 AND state = 4 AND node = ?5 AND priority = ?6 ORDER BY id LIMIT ?4)
RETURNING priority, seq, id, token, crashes, cancel, envelope, life;
