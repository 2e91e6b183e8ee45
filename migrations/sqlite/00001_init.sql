-- The whole state of an embedded troupe in one file: the store (jobs, their history, keys, queue settings) and the
-- inbox (entries, keys, dead letters, counters). Ids are 16 bytes, times are microseconds since 1970 in UTC, durations
-- nanoseconds, documents JSON as text, byte for byte as it came. NULL stands for the zero time and for an absent document.

-- +goose Up

-- One row a job: what it is now. What a commit never changes stands first, the payload last, so that a reader who does
-- not want it does not page through it.
CREATE TABLE jobs (
    id           BLOB    NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL,
    queue        TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    owner        TEXT,
    tags         TEXT, -- array of text
    group_name   TEXT,
    batch        TEXT,
    max_attempts INTEGER NOT NULL,
    max_crashes  INTEGER NOT NULL,
    backoff_base INTEGER NOT NULL,
    backoff_max  INTEGER NOT NULL,
    timeout      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    life         INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    token        INTEGER NOT NULL,
    rev          INTEGER NOT NULL,
    node         TEXT    NOT NULL,
    attempt      INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    crashes      INTEGER NOT NULL,
    run_at       INTEGER,
    started_at   INTEGER,
    updated_at   INTEGER NOT NULL,
    finished_at  INTEGER, -- set if and only if the status is terminal
    cancel_by    TEXT,    -- who asked that the job be stopped
    fingerprint  TEXT,    -- of the failure
    progress     TEXT,
    failure      TEXT,
    artifacts    TEXT,
    checkpoint   TEXT,
    result       TEXT,
    payload      TEXT
) STRICT;

CREATE INDEX jobs_live        ON jobs (id) WHERE finished_at IS NULL;
CREATE INDEX jobs_dead        ON jobs (id) WHERE status = 'failed';
CREATE INDEX jobs_finished    ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_owner       ON jobs (owner, id) WHERE owner IS NOT NULL;
CREATE INDEX jobs_batch       ON jobs (batch, id) WHERE batch IS NOT NULL;
CREATE INDEX jobs_group       ON jobs (group_name, id) WHERE group_name IS NOT NULL;
CREATE INDEX jobs_fingerprint ON jobs (fingerprint, id) WHERE fingerprint IS NOT NULL;

CREATE TABLE job_tags (
    tag TEXT NOT NULL,
    job BLOB NOT NULL,
    PRIMARY KEY (tag, job)
) STRICT, WITHOUT ROWID;

-- History: one row a commit, with all transitions that the commit carried as an array. rev is that of the last of them.
CREATE TABLE job_events (
    job         BLOB    NOT NULL,
    rev         INTEGER NOT NULL,
    transitions TEXT    NOT NULL,
    PRIMARY KEY (job, rev)
) STRICT, WITHOUT ROWID;

-- Idempotency keys as the store binds them.
CREATE TABLE idempotency_keys (
    scope       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    job         BLOB    NOT NULL,
    fingerprint TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

CREATE TABLE queue_settings (
    name        TEXT    NOT NULL PRIMARY KEY,
    paused      INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    concurrency INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a job that the inbox holds. state: 1 waiting, 2 delayed, 3 leased. seq orders the waiting ones of one
-- priority: the back of the queue takes the next higher number, the front the next lower. due is when a delayed job
-- becomes claimable, or when a lease ends.
CREATE TABLE inbox (
    n        INTEGER PRIMARY KEY,
    queue    INTEGER NOT NULL, -- inbox_queues.n
    id       BLOB    NOT NULL,
    state    INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    life     INTEGER NOT NULL,
    token    INTEGER NOT NULL,
    crashes  INTEGER NOT NULL,
    cancel   INTEGER NOT NULL, -- 1: somebody wants it stopped
    node     TEXT    NOT NULL, -- holder of the lease
    envelope BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX inbox_id      ON inbox (queue, id);
CREATE INDEX        inbox_waiting ON inbox (queue, priority, seq) WHERE state = 1;
CREATE INDEX        inbox_delayed ON inbox (queue, due, seq) WHERE state = 2;
CREATE INDEX        inbox_leased  ON inbox (queue, due, seq) WHERE state = 3;

-- Counters of each queue of the inbox, written with every commit that changes them: a depth is read, not counted.
-- front and back are the lowest and the highest seq given out.
CREATE TABLE inbox_queues (
    n       INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL UNIQUE,
    waiting INTEGER NOT NULL,
    delayed INTEGER NOT NULL,
    leased  INTEGER NOT NULL,
    dead    INTEGER NOT NULL,
    front   INTEGER NOT NULL,
    back    INTEGER NOT NULL
) STRICT;

-- Dead letters as the inbox lists them.
CREATE TABLE inbox_dead (
    queue INTEGER NOT NULL,
    id    BLOB    NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;

-- Idempotency keys as the inbox binds them at the door, for each queue apart.
CREATE TABLE inbox_keys (
    queue       INTEGER NOT NULL, -- inbox_queues.n
    scope       TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    job         BLOB    NOT NULL,
    fingerprint TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (queue, scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX inbox_keys_expiry ON inbox_keys (expires_at);

-- Facts about the file itself: generation, and when it was last asked whether it can be written.
CREATE TABLE facts (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a page of the studio reads. A document that is no JSON object counts as one without fields.
CREATE VIEW "VideoGenerationJob" AS
SELECT
    lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-'
        || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS "id",
    status AS "status",
    json_extract(payload, '$.prompt') AS "prompt",
    json_extract(payload, '$.imageUrl') AS "imageUrl",
    json_extract(result, '$.videoUrl') AS "videoUrl",
    coalesce(json_extract(result, '$.provider'), json_extract(payload, '$.provider')) AS "provider",
    json_extract(failure, '$.message') AS "error",
    strftime('%Y-%m-%dT%H:%M:', created_at / 1000000, 'unixepoch')
        || printf('%02d.%03dZ', created_at / 1000000 % 60, created_at / 1000 % 1000) AS "createdAt",
    strftime('%Y-%m-%dT%H:%M:', finished_at / 1000000, 'unixepoch')
        || printf('%02d.%03dZ', finished_at / 1000000 % 60, finished_at / 1000 % 1000) AS "completedAt"
FROM jobs
WHERE kind = 'video.generate';

-- +goose Down
DROP VIEW "VideoGenerationJob";
DROP TABLE facts;
DROP TABLE inbox_keys;
DROP TABLE inbox_dead;
DROP TABLE inbox_queues;
DROP TABLE inbox;
DROP TABLE queue_settings;
DROP TABLE idempotency_keys;
DROP TABLE job_events;
DROP TABLE job_tags;
DROP TABLE jobs;
