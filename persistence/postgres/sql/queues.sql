-- Purpose: read the settings of all queues.
-- Inputs: none.
-- Output: name, paused, reason, concurrency, everywhere, updated_at, in the order of names.
-- Atomicity: one statement.
SELECT name, paused, reason, concurrency, everywhere, updated_at FROM queue_settings ORDER BY name
