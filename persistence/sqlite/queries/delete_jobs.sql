-- Removes jobs that have ended.
-- In: 1 ids as a JSON array of hexadecimal text. Out: id and tags of each that was removed.
DELETE FROM jobs
WHERE id IN (SELECT unhex(value) FROM json_each(?1)) AND finished_at IS NOT NULL
RETURNING id, tags;
