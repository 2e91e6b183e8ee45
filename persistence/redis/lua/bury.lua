#!lua flags=allow-oom
-- Takes a node off the fallen. That it was declared dead is remembered for a day, so that it is told should it beat again.
--
-- KEYS  1 fallen  2 last  3 buried
-- ARGV  1 name  2 how many are remembered at most; the longest buried go
-- Returns 1 if it was among the fallen.
-- Atomic. Repeatable.
local fallen, last, buried = KEYS[1], KEYS[2], KEYS[3]
local name, most = ARGV[1], tonumber(ARGV[2])
local DAY = 86400000000
local call = redis.call

call('HDEL', last, name)
local was = call('ZREM', fallen, name)
if was == 1 then
  local t = call('TIME')
  local now = t[1] * 1000000 + t[2]
  call('ZADD', buried, string.format('%.0f', now), name)
  call('ZREMRANGEBYSCORE', buried, '-inf', string.format('%.0f', now - DAY))
  call('ZREMRANGEBYRANK', buried, 0, -most - 1)
end
return was
