-- Purpose: secrets that all nodes share without being told: each is made by the first node that needs it. Who may read this
-- table may sign as a node does: grant it to nobody else.

-- +goose Up

CREATE TABLE node_secrets (
    name       text COLLATE "C" NOT NULL PRIMARY KEY,
    value      bytea            NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now()
);

-- +goose Down

DROP TABLE node_secrets;
