-- Reads the fences of some jobs.
-- In: 1 ids as a JSON array of hexadecimal text.
-- Out: one row a job that is there: its index in the array, its row, its fence, when it was last changed.
SELECT ids.key, jobs.rowid, life, status, token, node, rev, updated_at
FROM json_each(?1) AS ids
CROSS JOIN jobs ON jobs.id = unhex(ids.value);
