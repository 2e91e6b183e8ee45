-- The jobs at the head of each priority of a queue.
-- In: 1 queue number, 2 highest priority number.
-- Out: one row a priority: the id, or NULL if none of it waits. Cost: one step into an index for each.
WITH RECURSIVE priorities(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM priorities WHERE n < ?2)
SELECT (SELECT id FROM inbox WHERE queue = ?1 AND state = 1 AND priority = priorities.n ORDER BY seq LIMIT 1)
FROM priorities;
