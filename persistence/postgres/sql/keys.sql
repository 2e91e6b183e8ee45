-- Purpose: read the keys that still bind, a page at a time.
-- Inputs: $1 scope and $2 key after which to begin, $3 the most to return.
-- Output: scope, key, job, fingerprint, expires, in the order of (scope, key).
-- Atomicity: one statement.
SELECT scope, key, job, fingerprint, expires FROM idempotency_keys
WHERE (scope, key) > ($1::text, $2::text) AND expires > now()
ORDER BY scope, key
LIMIT $3::bigint
