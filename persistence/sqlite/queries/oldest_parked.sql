-- The jobs at the head of each priority of what a queue has parked under a name.
-- In: 1 queue number, 2 highest priority number, 3 name.
-- Out: one row a priority: the id, or NULL if none of it is parked. Cost: one step into an index for each.
WITH RECURSIVE priorities(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM priorities WHERE n < ?2)
SELECT (SELECT id FROM inbox WHERE queue = ?1 AND state = 4 AND node = ?3 AND priority = priorities.n ORDER BY id LIMIT 1)
FROM priorities;
