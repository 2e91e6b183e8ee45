#!lua flags=allow-oom
-- Leaves word that a job shall be stopped, for who holds it or claims it next.
--
-- KEYS  1 jobs  2 cancels
-- ARGV  1 id
-- Returns 1 if the job is known. Word is left for known jobs only, and goes with them, so it can't pile up.
-- Atomic. Repeatable.
local jobs, cancels = KEYS[1], KEYS[2]
local id = ARGV[1]

if redis.call('HEXISTS', jobs, id) == 0 then return 0 end
redis.call('SADD', cancels, id)
return 1
