#!lua flags=allow-oom
-- Ends leases, each as its settlement says; what is not held under the given fence is left as it is.
--
-- KEYS  1 jobs  2 meta  3 leases  4 delayed  5 cancels  6 dead  7-10 inbox by priority  11 cut  12 parked
-- ARGV  1 queue  2 wake channel  3 how many dead letters are kept  4 under how many names jobs may be parked  5 how long a job is delayed
--       instead (ms)  6 n  then n ids, then runs of four that cover them in order: how many, verb ("ack", "dead", "delay", "return" or
--       "park"), their fence ("L|token|node|"), how long (ms; for delay) or name (for park)
-- Returns the positions of those that were not held.
-- Atomic. Repeatable: the second time nothing is held under that fence. Returned jobs stand at the front in the order given.
-- If a claim was cut by its limit, and a lease ended, the watchers are woken: one more command a call.
local jobs, meta, leases, delayed, cancels, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local INBOX = 7
local cut, parked = KEYS[11], KEYS[12]
local queue, wake, keep, names, pause, n = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local ID, RUNS = 6, 7 + n
local find, sub, match, call = string.find, string.sub, string.match, redis.call

local covered, parks, waits = 0, false, false
for at = RUNS, #ARGV, 4 do
  local verb = ARGV[at + 1]
  covered = covered + tonumber(ARGV[at])
  if verb == 'park' then
    parks = true
    if not find(ARGV[at + 3], '^[%w._-]+$') then return redis.error_reply('ERR settle: not a name') end
  elseif verb == 'delay' and tonumber(ARGV[at + 3]) then
    waits = true
  elseif verb ~= 'ack' and verb ~= 'dead' and verb ~= 'return' then
    return redis.error_reply('ERR settle: unknown verb')
  end
end
if n < 1 or names < 1 or pause < 1 or covered ~= n then return redis.error_reply('ERR settle: wrong number of arguments') end

local now = 0
if parks then call('ZCARD', parked) end -- of the right type
if parks or waits then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end
local fresh, total = {}, nil -- names under which this call is the first to park, and how many there are with them

-- Says whether a job may be parked under a name.
local function admits(name)
  if fresh[name] or call('ZLEXCOUNT', parked, '[' .. name .. '|', '(' .. name .. '}') > 0 then return true end
  if not total then
    total = 0
    local from = '-'
    while total < names do
      local member = call('ZRANGEBYLEX', parked, from, '+', 'LIMIT', 0, 1)[1]
      if not member then break end
      from = '(' .. match(member, '^[^|]*') .. '}' -- the byte after |
      total = total + 1
    end
  end
  if total >= names then return false end
  total, fresh[name] = total + 1, true
  return true
end

local metas = call('HMGET', meta, unpack(ARGV, ID + 1, ID + n))
local gone, g, ended, missed = {}, 0, {}, {}
local changed, due, left, slept = {}, {}, {}, {}
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
        due[#due + 1] = string.format('%.0f', now + ARGV[at + 3])
        due[#due + 1] = id
      elseif verb == 'park' and admits(ARGV[at + 3]) then
        local name, rest = ARGV[at + 3], sub(m, #fence + 1)
        changed[#changed + 1] = 'P|' .. match(m, '^L|(%d+)|') .. '|' .. name .. '|' .. rest
        slept[#slept + 1] = 0
        slept[#slept + 1] = name .. '|' .. sub(rest, 1, 1) .. id
      elseif verb == 'park' then
        changed[#changed + 1] = 'D' .. sub(m, 2)
        due[#due + 1] = string.format('%.0f', now + pause)
        due[#due + 1] = id
      else
        changed[#changed + 1] = 'W' .. sub(m, 2)
        local list = front[tonumber(sub(m, #fence + 1, #fence + 1)) + 1]
        list[#list + 1] = id
      end
    end
  end
end

local woke = false
if #left > 0 then
  call('HSET', meta, unpack(changed))
  call('ZREM', leases, unpack(left))
  if #due > 0 then call('ZADD', delayed, unpack(due)) end
  if #slept > 0 then
    call('ZADD', parked, unpack(slept))
    woke = true
  end
  for p = 1, 4 do
    local list, reversed = front[p], {}
    if #list > 0 then
      for k = #list, 1, -1 do reversed[#reversed + 1] = list[k] end
      call('LPUSH', KEYS[INBOX + p - 1], unpack(reversed))
      woke = true
    end
  end
end
if g > 0 then
  call('HDEL', jobs, unpack(gone))
  call('HDEL', meta, unpack(gone))
  call('ZREM', leases, unpack(gone))
  if call('SCARD', cancels) > 0 then call('SREM', cancels, unpack(gone)) end
end
if (g > 0 or #left > 0) and call('DEL', cut) == 1 then woke = true end
if woke then call('PUBLISH', wake, queue) end
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
