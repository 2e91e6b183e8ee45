#!lua flags=allow-oom
-- Sets jobs' public states, and announces them, on a server that is too full for plain commands: a key must not go on saying
-- that a job runs which has ended. It takes the place of one that is there, and goes with its time.
--
-- KEYS  1 and on: job:<id>, also the channel of that name
-- ARGV  1 how long the key of a job that goes on is kept (ms)  2 the same of one that has ended  3 a letter for each key: "e" if
--       its job has ended, else "-"  then the state (JSON) for each key
-- Returns OK.
-- Atomic. Repeatable: the second time the same is said again.
local live, ended, ends = ARGV[1], ARGV[2], ARGV[3]
local STATE = 3
local byte, call = string.byte, redis.call

if #ARGV ~= STATE + #KEYS or #ends ~= #KEYS then return redis.error_reply('ERR insist: wrong number of arguments') end

for i = 1, #KEYS do
  local key, state = KEYS[i], ARGV[STATE + i]
  call('SET', key, state, 'PX', byte(ends, i) == 101 and ended or live) -- 101: e
  call('PUBLISH', key, state)
end
return redis.status_reply('OK')
