-- Purpose: bind idempotency keys that nothing binds yet, or no longer.
-- Inputs: arrays of scope, key, job, fingerprint and microseconds to live, in ascending order of (scope, key), none twice.
-- Output: scope and key of those that were bound now.
-- Atomicity: one statement; keys are locked in the order of the arrays, those that were not bound as well, so that the
-- transaction goes on to see who holds them.
INSERT INTO idempotency_keys AS bound (scope, key, job, fingerprint, expires)
SELECT unnest($1::text[]), unnest($2::text[]), unnest($3::uuid[]), unnest($4::text[]),
       now() + unnest($5::bigint[]) * interval '1 microsecond'
ON CONFLICT (scope, key) DO UPDATE SET
    job = excluded.job, fingerprint = excluded.fingerprint, expires = excluded.expires
WHERE bound.expires <= now()
RETURNING scope, key
