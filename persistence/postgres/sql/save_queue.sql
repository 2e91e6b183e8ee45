-- Purpose: write a queue's settings.
-- Inputs: $1 name, $2 paused, $3 reason, $4 concurrency, $5 concurrency over all nodes, $6 time of the change.
-- Output: none.
-- Atomicity: one statement. The last writer wins.
INSERT INTO queue_settings (name, paused, reason, concurrency, everywhere, updated_at)
VALUES ($1::text, $2::boolean, $3::text, $4::integer, $5::integer, $6::timestamptz)
ON CONFLICT (name) DO UPDATE SET
    paused = excluded.paused, reason = excluded.reason, concurrency = excluded.concurrency, everywhere = excluded.everywhere,
    updated_at = excluded.updated_at
