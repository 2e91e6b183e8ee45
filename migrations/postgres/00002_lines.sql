-- Purpose: what handlers say while they run: the lines of jobs' logs, and the chunks of their outputs.
--
-- One row a line, only ever added to, hence full pages; the oldest rows of a log that is full are removed by the append that
-- overfills it. There is no index but the key: it serves every question (after a line, the newest ones, the oldest one).
-- n and total run on from line to line, so that the first and the last row of a channel tell how much it holds: nothing is counted,
-- and no row is kept up to date beside them. It has no foreign key: rows are removed in the statement that removes the job.

-- +goose Up

CREATE TABLE job_lines (
    job_id  uuid        NOT NULL,
    channel smallint    NOT NULL,  -- 1 log, 2 output
    seq     bigint      NOT NULL,  -- token × 1,000,000 + a number from 1
    at      timestamptz NOT NULL,
    level   smallint    NOT NULL,  -- 0 none, 1 debug, 2 info, 3 warn, 4 error
    attempt integer     NOT NULL,
    n       bigint      NOT NULL,  -- place among all lines ever appended, from 1
    total   bigint      NOT NULL,  -- bytes of all lines ever appended, this one's included
    line    bytea       NOT NULL,  -- bytes, because text can't hold every character of JSON
    CONSTRAINT job_lines_pkey PRIMARY KEY (job_id, channel, seq)
) WITH (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_vacuum_scale_factor = 0.05);

-- +goose Down

DROP TABLE job_lines;
