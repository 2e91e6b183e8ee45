#!lua flags=allow-oom
-- Moves delayed jobs whose time has come to the back of their priority.
--
-- KEYS  1 meta  2 delayed  3-6 inbox by priority
-- ARGV  1 queue  2 wake channel  3 max
-- Returns how many were moved, and when the next is due (ms; "" if none is delayed).
-- Atomic. Repeatable, and safe to run on many nodes at once. An entry without a delayed job is removed.
local meta, delayed = KEYS[1], KEYS[2]
local INBOX = 3
local queue, wake, max = ARGV[1], ARGV[2], tonumber(ARGV[3])
local sub, call = string.sub, redis.call

if max < 1 or max > 1000 then return redis.error_reply('ERR due: out of bounds') end
local t = call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local ids = call('ZRANGEBYSCORE', delayed, '-inf', now, 'LIMIT', 0, max)
local moved = 0
if #ids > 0 then
  local metas = call('HMGET', meta, unpack(ids))
  local changed = {}
  local back = { {}, {}, {}, {} }
  for i = 1, #ids do
    local m = metas[i]
    local p = m and string.match(m, '^D|%d+|[^|]*|(%d)|')
    if p then
      changed[#changed + 1] = ids[i]
      changed[#changed + 1] = 'W' .. sub(m, 2)
      local list = back[p + 1]
      list[#list + 1] = ids[i]
      moved = moved + 1
    end
  end
  call('ZREM', delayed, unpack(ids))
  if moved > 0 then
    call('HSET', meta, unpack(changed))
    for p = 1, 4 do
      if #back[p] > 0 then call('RPUSH', KEYS[INBOX + p - 1], unpack(back[p])) end
    end
    call('PUBLISH', wake, queue)
  end
end
return { moved, call('ZRANGE', delayed, 0, 0, 'WITHSCORES')[2] or '' }
