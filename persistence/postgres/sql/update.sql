-- Purpose: write a batch of jobs whose rows are probably there, and their lines of history, each under the fence.
-- Inputs: one array a column, of equal length, the rows in ascending order of id and no id twice.
-- Output: the ids that were written. Of the others there is no row, or it was not admitting the write.
-- Atomicity: one statement. The session's settings leave the planner the index on id as the only way to the rows, so that
-- they are locked in the order of ids.
WITH written AS (
    UPDATE jobs AS kept SET
        life = given.life, status = given.status, token = given.token, rev = given.rev, node = given.node,
        attempt = given.attempt, attempts = given.attempts, crashes = given.crashes,
        progress = given.progress, progress_detail = given.progress_detail,
        run_at = given.run_at, started_at = given.started_at, updated_at = given.updated_at,
        finished_at = given.finished_at, dead = given.dead, fingerprint = given.fingerprint,
        failure = given.failure, result = given.result, checkpoint = given.checkpoint,
        artifacts = given.artifacts,
        cancel_by = CASE WHEN given.life > kept.life THEN '' ELSE kept.cancel_by END
    FROM (SELECT
        unnest($1::uuid[]) AS id, unnest($2::integer[]) AS life, unnest($3::smallint[]) AS status,
        unnest($4::bigint[]) AS token, unnest($5::bigint[]) AS rev, unnest($6::text[]) AS node,
        unnest($7::integer[]) AS attempt, unnest($8::integer[]) AS attempts, unnest($9::integer[]) AS crashes,
        unnest($10::double precision[]) AS progress, unnest($11::json[]) AS progress_detail,
        unnest($12::timestamptz[]) AS run_at, unnest($13::timestamptz[]) AS started_at,
        unnest($14::timestamptz[]) AS updated_at, unnest($15::timestamptz[]) AS finished_at,
        unnest($16::boolean[]) AS dead, unnest($17::text[]) AS fingerprint, unnest($18::json[]) AS failure,
        unnest($19::json[]) AS result, unnest($20::json[]) AS checkpoint, unnest($21::json[]) AS artifacts,
        unnest($22::text[]) AS lines
    ) AS given
    WHERE kept.id = given.id AND given.rev > kept.rev AND (
        given.life = kept.life AND kept.status NOT IN (6, 7, 8)
            AND (given.token > kept.token OR given.token = kept.token AND given.node = kept.node)
        OR given.life = kept.life + 1 AND kept.status IN (7, 8) AND given.token > kept.token
    )
    RETURNING kept.id, kept.rev, given.lines
), history AS (
    INSERT INTO job_events (job_id, rev, lines)
    SELECT id, rev, lines FROM written WHERE lines IS NOT NULL
)
SELECT id FROM written
