-- Purpose: keep a secret unless one of that name is kept already.
-- Inputs: $1 name, $2 the secret to keep if there is none.
-- Output: one row: the secret that is kept.
-- Atomicity: one statement. The update changes nothing; without it a row that another session inserts at the same moment
-- would not be answered.
INSERT INTO node_secrets AS kept (name, value)
VALUES ($1::text, $2::bytea)
ON CONFLICT (name) DO UPDATE SET value = kept.value
RETURNING kept.value
