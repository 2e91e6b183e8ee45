-- Purpose: say whether the server takes writes now, and has tables to write to.
-- Inputs: none.
-- Output: two booleans.
-- Atomicity: one statement.
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off', to_regclass('jobs') IS NOT NULL
