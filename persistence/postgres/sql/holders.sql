-- Purpose: read who holds keys.
-- Inputs: arrays of scope and key.
-- Output: scope, key, job, fingerprint, expires.
-- Atomicity: one statement.
SELECT scope, key, job, fingerprint, expires
FROM (SELECT unnest($1::text[]) AS scope, unnest($2::text[]) AS key) AS given
JOIN idempotency_keys USING (scope, key)
