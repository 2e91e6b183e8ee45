-- Purpose: say whether the server takes writes now.
-- Inputs: none.
-- Output: one boolean.
-- Atomicity: one statement.
SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'
