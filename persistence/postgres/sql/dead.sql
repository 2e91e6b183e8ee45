-- Purpose: read what dead letters are grouped by, newest first.
-- Inputs: the conditions, in place of %s, and the number of the parameter that bounds the rows, in place of %d.
-- Output: id, kind, queue, fingerprint, end.
-- Atomicity: one statement.
SELECT id, kind, queue, fingerprint, finished_at
FROM jobs WHERE %s
ORDER BY id DESC
LIMIT $%d::bigint
