-- Writes what people set on a queue.
-- In: 1 name, 2 paused (0 or 1), 3 reason, 4 concurrency, 5 concurrency over all nodes, 6 time.
INSERT INTO queue_settings (name, paused, reason, concurrency, everywhere, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (name) DO UPDATE SET
    paused = excluded.paused, reason = excluded.reason, concurrency = excluded.concurrency, everywhere = excluded.everywhere,
    updated_at = excluded.updated_at;
