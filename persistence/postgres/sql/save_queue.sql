-- Purpose: write a queue's settings.
-- Inputs: $1 name, $2 paused, $3 reason, $4 concurrency, $5 time of the change.
-- Output: none.
-- Atomicity: one statement. The last writer wins.
INSERT INTO queue_settings (name, paused, reason, concurrency, updated_at)
VALUES ($1::text, $2::boolean, $3::text, $4::integer, $5::timestamptz)
ON CONFLICT (name) DO UPDATE SET
    paused = excluded.paused, reason = excluded.reason, concurrency = excluded.concurrency, updated_at = excluded.updated_at
