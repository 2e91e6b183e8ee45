-- Purpose: remove keys that bind no longer.
-- Inputs: $1 the most to remove.
-- Output: none.
-- Atomicity: one statement. A key that another transaction is binding anew is skipped.
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE expires <= now() ORDER BY expires LIMIT $1::bigint FOR UPDATE SKIP LOCKED
))
