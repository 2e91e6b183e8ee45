#!lua
-- Makes jobs durable: waiting at the back of their priority, or delayed. A job that is known in the same or a later life
-- is left as it is; a later life replaces an earlier one; a job whose idempotency key is another job's is refused.
--
-- KEYS  1 jobs  2 meta  3 leases  4 delayed  5 cancels  6 dead  7-10 inbox by priority  11.. idempotency keys
-- ARGV  1 queue  2 wake channel  3 n  then n ids, then n values, then seven for each job that is more than new and due
--       at once: position, due (ms), token, crashes, index in KEYS of its idempotency key (0: none), fingerprint, its TTL (ms)
-- Returns, flat, for each refused job: its position, "holder|fingerprint".
-- Atomic. Without allow-oom: a full server refuses it before it starts, so that nothing is half done. Repeatable: the
-- second time the jobs are known, and their keys are their own.
local jobs, meta, leases, delayed, cancels, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local INBOX = 7
local queue, wake, n = ARGV[1], ARGV[2], tonumber(ARGV[3])
local ID, VALUE, EXTRA = 3, 3 + n, 4 + 2 * n
local sub, byte, call = string.sub, string.byte, redis.call

if n < 1 or #ARGV < EXTRA - 1 or (#ARGV - EXTRA + 1) % 7 ~= 0 then
  return redis.error_reply('ERR enqueue: wrong number of arguments')
end
local extra, now = {}, 0
for at = EXTRA, #ARGV, 7 do
  for k = at, at + 4 do
    if not tonumber(ARGV[k]) then return redis.error_reply('ERR enqueue: not a number: ' .. ARGV[k]) end
  end
  extra[tonumber(ARGV[at])] = at
end
if EXTRA <= #ARGV then
  local t = call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end

local known = call('HMGET', jobs, unpack(ARGV, ID + 1, ID + n))
local seen, refused, again = {}, {}, {}
local fields, metas, due, redriven = {}, {}, {}, {}
local back = { {}, {}, {}, {} }

-- The meta of a job that is more than new, and whether it is delayed.
local function place(at, p, token)
  local crashes, runat = ARGV[at + 3], tonumber(ARGV[at + 1])
  if runat > now then return 'D|' .. token .. '||' .. p .. '|' .. crashes, ARGV[at + 1] end
  if token ~= '0' or crashes ~= '0' then return 'W|' .. token .. '||' .. p .. '|' .. crashes end
end

for i = 1, n do
  local id, value, at = ARGV[ID + i], ARGV[VALUE + i], extra[i]
  local holder = false
  if at and ARGV[at + 4] ~= '0' then
    local key = KEYS[tonumber(ARGV[at + 4])]
    holder = call('GET', key)
    if not holder then
      call('SET', key, id .. '|' .. ARGV[at + 5], 'PX', ARGV[at + 6])
    elseif sub(holder, 1, 36) == id then
      holder = false
    end
  end
  if holder then
    refused[#refused + 1] = tostring(i)
    refused[#refused + 1] = holder
  elseif known[i] or seen[id] then
    again[#again + 1] = i
  else
    seen[id] = true
    fields[#fields + 1] = id
    fields[#fields + 1] = value
    local p = byte(value, 7) - 48
    local m, later
    if at then
      m, later = place(at, p, ARGV[at + 2])
      redriven[#redriven + 1] = id
    end
    if m then
      metas[#metas + 1] = id
      metas[#metas + 1] = m
    end
    if later then
      due[#due + 1] = later
      due[#due + 1] = id
    else
      local list = back[p + 1]
      list[#list + 1] = id
    end
  end
end

local woke = false
if #fields > 0 then call('HSET', jobs, unpack(fields)) end
if #metas > 0 then call('HSET', meta, unpack(metas)) end
if #due > 0 then call('ZADD', delayed, unpack(due)) end
if #redriven > 0 then call('ZREM', dead, unpack(redriven)) end
for p = 1, 4 do
  if #back[p] > 0 then
    call('RPUSH', KEYS[INBOX + p - 1], unpack(back[p]))
    woke = true
  end
end

-- Jobs known before, one at a time: a later life replaces the earlier, whatever has become of that.
for _, i in ipairs(again) do
  local id, value, at = ARGV[ID + i], ARGV[VALUE + i], extra[i]
  local was = call('HGET', jobs, id)
  if sub(was, 1, 6) < sub(value, 1, 6) then
    local token = at and ARGV[at + 2] or '0'
    local last = string.match(call('HGET', meta, id) or '', '^%u|(%d+)|')
    if last and tonumber(last) > tonumber(token) then token = last end
    local p = byte(value, 7) - 48
    local m, later
    if at then
      m, later = place(at, p, token)
    elseif token ~= '0' then
      m = 'W|' .. token .. '||' .. p .. '|0'
    end
    call('HSET', jobs, id, value)
    call('ZREM', leases, id)
    call('ZREM', delayed, id)
    call('ZREM', dead, id)
    call('SREM', cancels, id)
    if m then call('HSET', meta, id, m) else call('HDEL', meta, id) end
    if later then
      call('ZADD', delayed, later, id)
    else
      call('RPUSH', KEYS[INBOX + p], id)
      woke = true
    end
  end
end
if woke then call('PUBLISH', wake, queue) end
return refused
