#!lua flags=allow-oom
-- Takes a member off the list, and off the fallen and the buried: it has handed back all it held.
--
-- KEYS  1 members  2 terms  3 seen  4 silent  5 fallen  6 last  7 buried  8 words  9 roll
-- ARGV  1 name
-- Returns 1 if it was a member.
-- Atomic. Repeatable.
local members, terms, seen, silent, fallen, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local buried, words, roll = KEYS[7], KEYS[8], KEYS[9]
local name = ARGV[1]
local call = redis.call

call('HDEL', terms, name)
call('ZREM', seen, name)
call('ZREM', silent, name)
call('ZREM', fallen, name)
call('HDEL', last, name)
call('ZREM', buried, name)
call('HDEL', words, 'drain:' .. name, 'back:' .. name, 'late:' .. name)
local was = call('HDEL', members, name)
if was == 1 then
  local t = call('TIME')
  local epoch = math.max((tonumber(call('HGET', roll, 'epoch')) or 0) + 1, t[1] * 1000000 + t[2])
  call('HSET', roll, 'epoch', string.format('%.0f', epoch))
end
return was
