-- Purpose: read the fences of rows that did not admit a write.
-- Inputs: $1 ids.
-- Output: id, life, status, token, node, rev, updated_at of those that are there.
-- Atomicity: one statement.
SELECT id, life, status, token, node, rev, updated_at FROM jobs WHERE id = ANY ($1::uuid[])
