#!lua flags=allow-oom
-- Puts jobs back whose leases were forgotten, with their leases. A job that is known is left as it is.
--
-- KEYS  1 jobs  2 meta  3 leases  4.. idempotency keys
-- ARGV  1 lease (microseconds)  2 n  then n ids, n values, n metas ("L|token|node|priority|crashes"), then four for each
--       job with an idempotency key: position, index in KEYS, fingerprint, TTL (ms)
-- Returns the positions of those that were known.
-- Atomic. Repeatable.
local jobs, meta, leases = KEYS[1], KEYS[2], KEYS[3]
local lease, n = tonumber(ARGV[1]), tonumber(ARGV[2])
local ID, VALUE, META, EXTRA = 2, 2 + n, 2 + 2 * n, 3 + 3 * n
local call = redis.call

if n < 1 or lease < 1 or #ARGV < EXTRA - 1 or (#ARGV - EXTRA + 1) % 4 ~= 0 then
  return redis.error_reply('ERR restore: wrong number of arguments')
end
local t = call('TIME')
local deadline = string.format('%.0f', t[1] * 1000000 + t[2] + lease)
local known, back = {}, {}
for i = 1, n do
  local id = ARGV[ID + i]
  if call('HSETNX', jobs, id, ARGV[VALUE + i]) == 1 then
    call('HSET', meta, id, ARGV[META + i])
    call('ZADD', leases, deadline, id)
    back[i] = id
  else
    known[#known + 1] = i
  end
end
for at = EXTRA, #ARGV, 4 do
  local id = back[tonumber(ARGV[at])]
  if id then call('SET', KEYS[tonumber(ARGV[at + 1])], id .. '|' .. ARGV[at + 2], 'NX', 'PX', ARGV[at + 3]) end
end
return known
