-- Purpose: find jobs that ended before a time. The summary of ranges of pages skips what is young.
-- Inputs: $1 the time, $2 the most to return.
-- Output: ids, in any order.
-- Atomicity: one statement.
SELECT id FROM jobs WHERE finished_at < $1::timestamptz LIMIT $2::bigint
