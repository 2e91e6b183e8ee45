-- Purpose: write a batch of jobs and their lines of history, each under the fence.
-- Inputs: one array a column, of equal length, the rows in ascending order of id and no id twice.
-- Output: the ids that were written. Of the others the row was not admitting the write.
-- Atomicity: one statement. Rows are locked in the order of the arrays, so that batches of several nodes wait for each
-- other instead of deadlocking.
-- Notes: the arrays are unnested in the list of results, where they advance together row by row; in FROM each would be
-- stored whole first. What was asked is written once and left alone afterwards.
WITH written AS (
    INSERT INTO jobs AS kept (
        id, created_at, kind, queue, owner, group_name, batch, tags, priority, policy, payload,
        life, status, token, rev, node, attempt, attempts, crashes, progress, progress_detail,
        run_at, started_at, updated_at, finished_at, dead, fingerprint, failure, result, checkpoint, artifacts
    )
    SELECT
        unnest($1::uuid[]), unnest($2::timestamptz[]), unnest($3::text[]), unnest($4::text[]), unnest($5::text[]),
        unnest($6::text[]), unnest($7::text[]), unnest($8::text[])::text[], unnest($9::smallint[]), unnest($10::json[]),
        unnest($11::json[]), unnest($12::integer[]), unnest($13::smallint[]), unnest($14::bigint[]), unnest($15::bigint[]),
        unnest($16::text[]), unnest($17::integer[]), unnest($18::integer[]), unnest($19::integer[]),
        unnest($20::double precision[]), unnest($21::json[]), unnest($22::timestamptz[]), unnest($23::timestamptz[]),
        unnest($24::timestamptz[]), unnest($25::timestamptz[]), unnest($26::boolean[]), unnest($27::text[]),
        unnest($28::json[]), unnest($29::json[]), unnest($30::json[]), unnest($31::json[])
    ON CONFLICT (id) DO UPDATE SET
        life = excluded.life, status = excluded.status, token = excluded.token, rev = excluded.rev, node = excluded.node,
        attempt = excluded.attempt, attempts = excluded.attempts, crashes = excluded.crashes,
        progress = excluded.progress, progress_detail = excluded.progress_detail,
        run_at = excluded.run_at, started_at = excluded.started_at, updated_at = excluded.updated_at,
        finished_at = excluded.finished_at, dead = excluded.dead, fingerprint = excluded.fingerprint,
        failure = excluded.failure, result = excluded.result, checkpoint = excluded.checkpoint,
        artifacts = excluded.artifacts,
        -- Word left for one life does not reach the next.
        cancel_by = CASE WHEN excluded.life > kept.life THEN '' ELSE kept.cancel_by END
    WHERE excluded.rev > kept.rev AND (
        excluded.life = kept.life AND kept.status NOT IN (6, 7, 8)
            AND (excluded.token > kept.token OR excluded.token = kept.token AND excluded.node = kept.node)
        OR excluded.life = kept.life + 1 AND kept.status IN (7, 8) AND excluded.token > kept.token
    )
    RETURNING kept.id, kept.rev
), history AS (
    INSERT INTO job_events (job_id, rev, lines)
    SELECT written.id, written.rev, given.lines
    FROM (SELECT unnest($1::uuid[]) AS id, unnest($32::text[]) AS lines) AS given
    JOIN written USING (id)
    WHERE given.lines IS NOT NULL
)
SELECT id FROM written
