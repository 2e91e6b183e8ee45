-- Purpose: find how far down a step of a search reaches.
-- Inputs: the conditions, in place of %s, and the number of the parameter that says how many jobs to pass, in place of %d.
-- Output: one id, or none if there are not so many.
-- Atomicity: one statement.
SELECT id
FROM jobs WHERE %s
ORDER BY id DESC
OFFSET $%d::bigint LIMIT 1
