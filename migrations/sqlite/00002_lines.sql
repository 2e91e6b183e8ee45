-- What handlers say while they run: the lines of jobs' logs, and the chunks of their outputs. n and total run on from line
-- to line, so that the first and the last row of a channel tell how much it holds.

-- +goose Up

CREATE TABLE job_lines (
    job     BLOB    NOT NULL,
    channel INTEGER NOT NULL, -- 1 log, 2 output
    seq     INTEGER NOT NULL, -- token × 1,000,000 + a number from 1
    at      INTEGER NOT NULL,
    level   INTEGER NOT NULL, -- 0 none, 1 debug, 2 info, 3 warn, 4 error
    attempt INTEGER NOT NULL,
    n       INTEGER NOT NULL, -- place among all lines ever appended, from 1
    total   INTEGER NOT NULL, -- bytes of all lines ever appended, this one's included
    line    BLOB    NOT NULL,
    PRIMARY KEY (job, channel, seq)
) STRICT, WITHOUT ROWID;

-- +goose Down

DROP TABLE job_lines;
