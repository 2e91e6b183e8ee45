#!lua flags=allow-oom
-- Ends leases, each as its settlement says; what is not held under the given fence is left as it is.
--
-- KEYS  1 jobs  2 meta  3 leases  4 delayed  5 cancels  6 dead  7-10 inbox by priority
-- ARGV  1 queue  2 wake channel  3 how many dead letters are kept  4 n  then n ids, then runs of four that cover them in
--       order: how many, verb ("ack", "dead", "delay" or "return"), their fence ("L|token|node|"), due (ms; for delay)
-- Returns the positions of those that were not held.
-- Atomic. Repeatable: the second time nothing is held under that fence. Returned jobs stand at the front in the order given.
local jobs, meta, leases, delayed, cancels, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local INBOX = 7
local queue, wake, keep, n = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local ID, RUNS = 4, 5 + n
local find, sub, call = string.find, string.sub, redis.call

local covered = 0
for at = RUNS, #ARGV, 4 do
  local verb = ARGV[at + 1]
  covered = covered + tonumber(ARGV[at])
  if verb ~= 'ack' and verb ~= 'dead' and verb ~= 'return' and not (verb == 'delay' and tonumber(ARGV[at + 3])) then
    return redis.error_reply('ERR settle: unknown verb')
  end
end
if n < 1 or covered ~= n then return redis.error_reply('ERR settle: wrong number of arguments') end

local metas = call('HMGET', meta, unpack(ARGV, ID + 1, ID + n))
local gone, g, ended, missed = {}, 0, {}, {}
local changed, due, left = {}, {}, {}
local front = { {}, {}, {}, {} }
local i = 0
for at = RUNS, #ARGV, 4 do
  local verb, fence = ARGV[at + 1], ARGV[at + 2]
  for _ = 1, tonumber(ARGV[at]) do
    i = i + 1
    local m, id = metas[i], ARGV[ID + i]
    if not m or find(m, fence, 1, true) ~= 1 then
      missed[#missed + 1] = i
    elseif verb == 'ack' then
      g = g + 1
      gone[g] = id
    elseif verb == 'dead' then
      g = g + 1
      gone[g] = id
      ended[#ended + 1] = id
    else
      left[#left + 1] = id
      changed[#changed + 1] = id
      if verb == 'delay' then
        changed[#changed + 1] = 'D' .. sub(m, 2)
        due[#due + 1] = ARGV[at + 3]
        due[#due + 1] = id
      else
        changed[#changed + 1] = 'W' .. sub(m, 2)
        local list = front[tonumber(sub(m, #fence + 1, #fence + 1)) + 1]
        list[#list + 1] = id
      end
    end
  end
end

if #left > 0 then
  call('HSET', meta, unpack(changed))
  call('ZREM', leases, unpack(left))
  if #due > 0 then call('ZADD', delayed, unpack(due)) end
  local woke = false
  for p = 1, 4 do
    local list, reversed = front[p], {}
    if #list > 0 then
      for k = #list, 1, -1 do reversed[#reversed + 1] = list[k] end
      call('LPUSH', KEYS[INBOX + p - 1], unpack(reversed))
      woke = true
    end
  end
  if woke then call('PUBLISH', wake, queue) end
end
if g > 0 then
  call('HDEL', jobs, unpack(gone))
  call('HDEL', meta, unpack(gone))
  call('ZREM', leases, unpack(gone))
  if call('SCARD', cancels) > 0 then call('SREM', cancels, unpack(gone)) end
end
if #ended > 0 then
  local t = call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  local z = {}
  for _, id in ipairs(ended) do
    z[#z + 1] = now
    z[#z + 1] = id
  end
  call('ZADD', dead, unpack(z))
  call('ZREMRANGEBYRANK', dead, 0, -keep - 1)
end
return missed
