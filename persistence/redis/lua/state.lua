#!lua flags=allow-oom
-- Sets a job's public state on a server that is too full for a plain SET: a key must not go on saying that a job runs
-- which has ended. It takes the place of one that is there, and goes with its time.
--
-- KEYS  1 job:<id>
-- ARGV  1 state (JSON)  2 how long it is kept (ms)
-- Returns OK.
-- Atomic. Repeatable.
local key = KEYS[1]
local state, ttl = ARGV[1], ARGV[2]

return redis.call('SET', key, state, 'PX', ttl)
