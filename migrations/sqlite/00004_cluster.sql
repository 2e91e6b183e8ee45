-- Purpose: what many nodes need of one store, which a single node is asked for as well: numbers that only grow, for incarnations,
-- and a bound on how many handlers of a queue run at once on all nodes.

-- +goose Up

CREATE TABLE node_incarnations (
    n    INTEGER PRIMARY KEY CHECK (n = 1), -- one row
    last INTEGER NOT NULL
) STRICT;

ALTER TABLE queue_settings ADD COLUMN everywhere INTEGER NOT NULL DEFAULT 0; -- 0: no bound

-- +goose Down

ALTER TABLE queue_settings DROP COLUMN everywhere;
DROP TABLE node_incarnations;
