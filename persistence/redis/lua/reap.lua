#!lua flags=allow-oom
-- Returns jobs whose leases have ended to the front of their priority, the longest ended first, each with one crash more.
--
-- KEYS  1 meta  2 leases  3-6 inbox by priority
-- ARGV  1 queue  2 wake channel  3 max
-- Returns their ids.
-- Atomic. Repeatable, and safe to run on many nodes at once. A lease without a leased job is removed.
local meta, leases = KEYS[1], KEYS[2]
local INBOX = 3
local queue, wake, max = ARGV[1], ARGV[2], tonumber(ARGV[3])
local call = redis.call

if max < 1 or max > 1000 then return redis.error_reply('ERR reap: out of bounds') end
local t = call('TIME')
local ids = call('ZRANGEBYSCORE', leases, '-inf', string.format('%.0f', t[1] * 1000000 + t[2]), 'LIMIT', 0, max)
if #ids == 0 then return ids end

local metas = call('HMGET', meta, unpack(ids))
local changed, reaped = {}, {}
local front = { {}, {}, {}, {} }
for i = #ids, 1, -1 do
  local head, p, crashes = string.match(metas[i] or '', '^L(|%d+|[^|]*|(%d)|)(%d+)$')
  if head then
    changed[#changed + 1] = ids[i]
    changed[#changed + 1] = 'W' .. head .. (crashes + 1)
    local list = front[p + 1]
    list[#list + 1] = ids[i]
    reaped[#reaped + 1] = ids[i]
  end
end
call('ZREM', leases, unpack(ids))
if #reaped > 0 then
  call('HSET', meta, unpack(changed))
  for p = 1, 4 do
    if #front[p] > 0 then call('LPUSH', KEYS[INBOX + p - 1], unpack(front[p])) end
  end
  call('PUBLISH', wake, queue)
end
return reaped
