-- Purpose: what many nodes need of one store: numbers that only grow, for the incarnations of nodes, and a bound on how many
-- handlers of a queue run at once on all of them.

-- +goose Up

-- Not cached by sessions: a number that is given out is greater than all that were given out before, by whichever session.
CREATE SEQUENCE node_incarnations AS bigint CACHE 1;

ALTER TABLE queue_settings ADD COLUMN everywhere integer NOT NULL DEFAULT 0; -- 0: no bound

-- +goose Down

ALTER TABLE queue_settings DROP COLUMN everywhere;
DROP SEQUENCE node_incarnations;
