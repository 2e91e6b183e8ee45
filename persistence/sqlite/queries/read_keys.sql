-- Reads keys that still bind, in the order of scope and key.
-- In: 1 scope and 2 key of the last one read, 3 the time now, 4 how many at most.
SELECT scope, key, job, fingerprint, expires_at
FROM idempotency_keys
WHERE (scope, key) > (?1, ?2) AND expires_at > ?3
ORDER BY scope, key
LIMIT ?4;
