-- Purpose: remove jobs that have ended, with their history and their lines.
-- Inputs: $1 ids, $2 the time before which they must have ended: a job may have got another life since it was looked up.
-- Output: the ids that were removed.
-- Atomicity: one statement; rows are locked in the order of ids, as the writers do. A job that is being redriven is
-- waited for, and then left.
WITH ended AS MATERIALIZED (
    SELECT id FROM jobs WHERE id = ANY ($1::uuid[]) AND finished_at < $2::timestamptz ORDER BY id FOR UPDATE
), gone AS (
    DELETE FROM jobs USING ended WHERE jobs.id = ended.id RETURNING jobs.id
), history AS (
    DELETE FROM job_events USING gone WHERE job_events.job_id = gone.id
), lines AS (
    DELETE FROM job_lines USING gone WHERE job_lines.job_id = gone.id
)
SELECT id FROM gone
