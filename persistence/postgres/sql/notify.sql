-- Purpose: tell the nodes, once the transaction has committed, of jobs that it put into the store.
-- Inputs: $1 ids.
-- Output: a row for each.
-- Atomicity: one statement; what is told is kept back until the transaction commits and dropped if it does not.
SELECT pg_notify('troupe_fresh', unnest($1::uuid[])::text)
