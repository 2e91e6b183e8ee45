-- Puts a job that the store does not have.
-- In: the columns in the order named here.
INSERT INTO jobs (
    id, kind, queue, priority, owner, tags, group_name, batch, max_attempts, max_crashes, backoff_base, backoff_max, timeout, created_at,
    life, status, token, rev, node, attempt, attempts, crashes, run_at, started_at, updated_at, finished_at, fingerprint,
    progress, failure, artifacts, checkpoint, result, payload
) VALUES (
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?, ?, ?, ?, ?
);
