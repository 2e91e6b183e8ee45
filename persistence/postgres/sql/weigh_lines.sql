-- Purpose: say how many lines jobs have at most, so that not too many are removed at once.
-- Inputs: $1 ids, $2 the lines that a channel may hold.
-- Output: id and lines of the jobs that have any.
-- Atomicity: one statement. It reads one row a channel, and none of a job without lines.
SELECT g.id, sum(l.n)::bigint
FROM unnest($1::uuid[]) AS g(id)
CROSS JOIN unnest('{1,2}'::smallint[]) AS c(channel)
CROSS JOIN LATERAL (
    SELECT least(n, $2::bigint) AS n FROM job_lines WHERE job_id = g.id AND channel = c.channel ORDER BY seq DESC LIMIT 1
) AS l
GROUP BY g.id
