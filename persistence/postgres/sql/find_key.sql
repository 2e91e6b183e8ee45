-- Purpose: read which job a key binds.
-- Inputs: $1 scope, $2 key.
-- Output: scope, key, job, fingerprint, expires; no row if it binds none.
-- Atomicity: one statement.
SELECT scope, key, job, fingerprint, expires FROM idempotency_keys
WHERE scope = $1::text AND key = $2::text AND expires > now()
