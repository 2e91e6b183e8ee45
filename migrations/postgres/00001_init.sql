-- Purpose: the whole first schema: jobs, their history, idempotency keys, queue settings, and views for people and for
-- programs that read a table of videos.
--
-- Two rules shape it.
--
-- Rows change in place. An update that touches no indexed column stays on its page and leaves every index alone (HOT),
-- so no index mentions a column that changes while a job lives: not the status, not the node, not a time. finished_at,
-- dead and fingerprint are indexed because they change when a life ends or an attempt fails, and then only. Pages keep
-- a quarter of their room free for the new versions.
--
-- Text is kept as it came. The json columns are json, not jsonb: jsonb reorders keys, drops spaces and refuses the
-- escape \u0000. Names are collated "C", which compares bytes: fast, and safe from an operating system that changes its
-- sorting rules under an index.

-- +goose Up

CREATE TABLE jobs (
    -- What was asked. Written once.
    id               uuid        NOT NULL,            -- version 7: new rows land at the right edge of the index
    created_at       timestamptz NOT NULL,
    kind             text        COLLATE "C" NOT NULL,
    queue            text        COLLATE "C" NOT NULL,
    owner            text        COLLATE "C" NOT NULL, -- empty: nobody's
    group_name       text        COLLATE "C" NOT NULL, -- empty: none
    batch            text        COLLATE "C" NOT NULL, -- empty: none
    tags             text[]      COLLATE "C",          -- null: none
    priority         smallint    NOT NULL,
    policy           json        NOT NULL,
    payload          json,

    -- The fence: what orders the writes of a job. See job_admits in the statements that write.
    life             integer     NOT NULL,            -- 1, and one more with each redrive
    status           smallint    NOT NULL CHECK (status BETWEEN 1 AND 8), -- job_status(status) is its name
    token            bigint      NOT NULL,            -- grows with each claim
    rev              bigint      NOT NULL,            -- grows with each change
    node             text        COLLATE "C" NOT NULL, -- that wrote it last under the token; empty before the first

    -- Where it stands.
    attempt          integer     NOT NULL,            -- number of the attempt that runs or ran last
    attempts         integer     NOT NULL,            -- spent by failures of the handler
    crashes          integer     NOT NULL,            -- spent by failures of ours
    progress         double precision NOT NULL,       -- percent
    progress_detail  json,                            -- stage, note, time left; null if only the percentage is known
    run_at           timestamptz,
    started_at       timestamptz,
    updated_at       timestamptz NOT NULL,
    finished_at      timestamptz,                     -- set if and only if the life has ended
    dead             boolean     NOT NULL,            -- it ended badly: a dead letter
    fingerprint      text        COLLATE "C" NOT NULL, -- of the failure; empty if there is none
    failure          json,
    result           json,
    checkpoint       json,
    artifacts        json,

    -- Word for the next holder, written outside the fence: who asked that the job be stopped. Empty: nobody.
    cancel_by        text        COLLATE "C" NOT NULL DEFAULT '',

    CONSTRAINT jobs_pkey PRIMARY KEY (id)
) WITH (
    fillfactor = 75,
    -- Dead versions are pruned page by page as rows change; vacuum must come early only for the indexes' sake, and
    -- must not be throttled into falling behind.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.1,
    autovacuum_analyze_scale_factor = 0.02,
    autovacuum_vacuum_cost_delay = 1
);

-- What has not ended: to refill an inbox, and for the first page of every screen.
CREATE INDEX jobs_live ON jobs (id) WHERE finished_at IS NULL;
-- Dead letters, and those alike.
CREATE INDEX jobs_dead ON jobs (id) WHERE dead;
CREATE INDEX jobs_fingerprint ON jobs (fingerprint, id) WHERE fingerprint <> '';
-- What few jobs have costs the others nothing.
CREATE INDEX jobs_owner ON jobs (owner, id) WHERE owner <> '';
CREATE INDEX jobs_group ON jobs (group_name, id) WHERE group_name <> '';
CREATE INDEX jobs_batch ON jobs (batch, id) WHERE batch <> '';
CREATE INDEX jobs_tags ON jobs USING gin (tags) WHERE tags IS NOT NULL;
-- Retention looks for the oldest ends, and finds none most of the time. Rows end in about the order in which they
-- came, so a summary per range of pages is enough, and costs a write almost nothing.
CREATE INDEX jobs_times ON jobs USING brin (created_at, finished_at) WITH (pages_per_range = 64, autosummarize = on);
-- For the view "VideoGenerationJob", whose ids are text.
CREATE INDEX jobs_video_id ON jobs ((id::text)) WHERE kind = 'video.generate';
CREATE INDEX jobs_video_created ON jobs (created_at) WHERE kind = 'video.generate';

-- History: one row for all transitions of a job that were committed together, so that a job which was queued, claimed
-- and completed between two commits costs one row. Only ever added to, hence full pages. It has no foreign key: rows
-- are removed in the statement that removes the job.
CREATE TABLE job_events (
    job_id uuid   NOT NULL,
    rev    bigint NOT NULL,                            -- of the job after the last of these transitions
    lines  text   NOT NULL,                            -- JSON array; as text, because who wrote it need not be checked again
    CONSTRAINT job_events_pkey PRIMARY KEY (job_id, rev)
) WITH (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.1);

CREATE TABLE idempotency_keys (
    scope       text        COLLATE "C" NOT NULL,
    key         text        COLLATE "C" NOT NULL,
    job         uuid        NOT NULL,
    fingerprint text        COLLATE "C" NOT NULL,      -- hash of the request's body
    expires     timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (scope, key)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
-- Keys that bind no longer are found without reading those that do.
CREATE INDEX idempotency_keys_expires ON idempotency_keys (expires);

CREATE TABLE queue_settings (
    name        text        COLLATE "C" NOT NULL PRIMARY KEY,
    paused      boolean     NOT NULL,
    reason      text        NOT NULL,
    concurrency integer     NOT NULL,
    updated_at  timestamptz NOT NULL
);

-- The name of a status, as every other contract has it.
-- +goose StatementBegin
CREATE FUNCTION job_status(status smallint) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT (ARRAY['scheduled', 'queued', 'processing', 'retrying', 'cancelling', 'completed', 'failed', 'cancelled'])[status]
$$;
-- +goose StatementEnd

-- A member of a JSON object as text. Unlike ->> it does not fail on the escapes that JSON allows and text can't hold
-- (NUL, halves of surrogate pairs): one such payload would make every query of a view fail. They become U+FFFD.
-- +goose StatementBegin
CREATE FUNCTION job_text(document json, member text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT CASE
        WHEN json_typeof(document) <> 'object' THEN NULL
        WHEN document::text !~ '\\u(0000|[dD][89a-fA-F])' THEN document ->> member
        ELSE regexp_replace(document::text, '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F]..)', '\1' || U&'\FFFD', 'g')::json ->> member
    END
$$;
-- +goose StatementEnd

-- The history, a row for each transition, for people.
CREATE VIEW job_history AS
SELECT e.job_id,
       coalesce((l.line ->> 'rev')::bigint, e.rev)                                               AS rev,
       to_timestamp(((l.line ->> 'at')::bigint / 1000000)::double precision)
           + ((l.line ->> 'at')::bigint % 1000000) * interval '1 microsecond'                    AS at,
       l.line ->> 'event'                                                                        AS event,
       l.line ->> 'status'                                                                       AS status,
       coalesce((l.line ->> 'life')::integer, 1)                                                 AS life,
       coalesce((l.line ->> 'attempt')::integer, 0)                                              AS attempt,
       l.line ->> 'node'                                                                         AS node,
       l.line ->> 'note'                                                                         AS note,
       l.line -> 'failure' ->> 'message'                                                         AS failure
FROM job_events e
CROSS JOIN LATERAL json_array_elements(
    regexp_replace(e.lines, '(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F]..)', '\1' || U&'\FFFD', 'g')::json
) AS l(line);

-- Jobs of kind video.generate under the names that a program has which kept its videos in a table of its own.
CREATE VIEW "VideoGenerationJob" AS
SELECT id::text                                                                     AS id,
       job_status(status)                                                           AS status,
       job_text(payload, 'prompt')                                                  AS prompt,
       coalesce(job_text(result, 'imageUrl'), job_text(payload, 'imageUrl'))        AS "imageUrl",
       job_text(result, 'videoUrl')                                                 AS "videoUrl",
       coalesce(job_text(result, 'provider'), job_text(payload, 'provider'))        AS provider,
       job_text(failure, 'message')                                                 AS error,
       created_at                                                                   AS "createdAt",
       finished_at                                                                  AS "completedAt"
FROM jobs
WHERE kind = 'video.generate';

-- +goose Down

DROP VIEW "VideoGenerationJob";
DROP VIEW job_history;
DROP TABLE queue_settings;
DROP TABLE idempotency_keys;
DROP TABLE job_events;
DROP TABLE jobs;
DROP FUNCTION job_text(json, text);
DROP FUNCTION job_status(smallint);
