#!lua flags=allow-oom
-- Puts jobs back whose leases were forgotten, with their leases. A job that is known is left as it is.
--
-- KEYS  1 jobs  2 meta  3 leases  4 ghosts  5-8 inbox by priority  9.. idempotency keys
-- ARGV  1 lease (microseconds)  2 n  then n ids, n values, n metas ("L|token|node|priority|crashes"), then four for each
--       job with an idempotency key: position, index in KEYS, fingerprint, TTL (ms)
-- Returns the positions of those that were known.
-- Atomic. Repeatable. A job that comes back while a list still has ghosts of it, as one does that was removed before, is rid of them, by
-- a walk along the list: it may return to the front, and ghosts must not stand behind it.
local jobs, meta, leases, ghosts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local INBOX = 5
local lease, n = tonumber(ARGV[1]), tonumber(ARGV[2])
local ID, VALUE, META, EXTRA = 2, 2 + n, 2 + 2 * n, 3 + 3 * n
local call = redis.call

if n < 1 or lease < 1 or #ARGV < EXTRA - 1 or (#ARGV - EXTRA + 1) % 4 ~= 0 then
  return redis.error_reply('ERR restore: wrong number of arguments')
end
local t = call('TIME')
local deadline = string.format('%.0f', t[1] * 1000000 + t[2] + lease)
local known, back = {}, {}
local haunted = call('HLEN', ghosts) > 0
for i = 1, n do
  local id = ARGV[ID + i]
  if call('HSETNX', jobs, id, ARGV[VALUE + i]) == 1 then
    call('HSET', meta, id, ARGV[META + i])
    call('ZADD', leases, deadline, id)
    back[i] = id
    local p = haunted and string.sub(ARGV[VALUE + i], 7, 7)
    local count = p and call('HGET', ghosts, p .. id)
    if count then
      call('LREM', KEYS[INBOX + p], count, id)
      call('HDEL', ghosts, p .. id)
    end
  else
    known[#known + 1] = i
  end
end
for at = EXTRA, #ARGV, 4 do
  local id = back[tonumber(ARGV[at])]
  if id then call('SET', KEYS[tonumber(ARGV[at + 1])], id .. '|' .. ARGV[at + 2], 'NX', 'PX', ARGV[at + 3]) end
end
return known
