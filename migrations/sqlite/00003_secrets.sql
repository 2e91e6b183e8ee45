-- Purpose: secrets that outlive the process, as hex: each is made when it is first needed.

-- +goose Up
CREATE TABLE node_secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE node_secrets;
