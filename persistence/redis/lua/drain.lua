#!lua flags=allow-oom
-- Leaves word for a member to drain, which its beats answer from then on.
--
-- KEYS  1 members  2 words
-- ARGV  1 name  2 who asks
-- Returns 1, or 0 if there is no such member.
-- Atomic. Repeatable: the last who asked is told.
local members, words = KEYS[1], KEYS[2]
local name, by = ARGV[1], ARGV[2]
local call = redis.call

if call('HEXISTS', members, name) == 0 then return 0 end
call('HSET', words, 'drain:' .. name, by)
return 1
