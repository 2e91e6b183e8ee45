#!lua
-- Makes jobs durable: waiting at the back of their priority, or delayed. A job that is known in the same or a later life
-- is left as it is; a later life replaces an earlier one; a job whose idempotency key is another job's is refused.
--
-- KEYS  1 jobs  2 meta  3 leases  4 delayed  5 cancels  6 dead  7 ghosts  8-11 inbox by priority  12 parked
--       13.. idempotency keys
-- ARGV  1 queue  2 wake channel  3 n  then n ids, then n values, then seven for each job that is more than new and due
--       at once: position, due (ms), token, crashes, index in KEYS of its idempotency key (0: none), fingerprint, its TTL (ms)
-- Returns, flat, for each refused job: its position, "holder|fingerprint".
-- Atomic. Without allow-oom: a full server refuses it before it starts, so that nothing is half done. Repeatable: the
-- second time the jobs are known, and their keys are their own.
local jobs, meta, leases, delayed, cancels, dead, ghosts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local INBOX = 8
local parked = KEYS[12]
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
local seen, refused = {}, {}
local fields, metas, due = {}, {}, {}
local back = { {}, {}, {}, {} }

-- Takes an earlier life of the job out of wherever it is, and answers the last token it was given.
local function bury(id, was)
  local m = call('HGET', meta, id)
  if not m or byte(m) == 87 then call('HINCRBY', ghosts, sub(was, 7, 7) .. id, 1) end -- 87: W
  if m and byte(m) == 80 then call('ZREM', parked, string.gsub(m, '^P|%d+|([^|]*|%d)|.*$', '%1') .. id) end -- 80: P
  call('HDEL', meta, id)
  call('ZREM', leases, id)
  call('ZREM', delayed, id)
  call('ZREM', dead, id)
  call('SREM', cancels, id)
  return m and string.match(m, '^%u|(%d+)|') or '0'
end

-- Gathers what is to be written of a job; last is the least its token may be.
local function put(i, last)
  local id, value, at = ARGV[ID + i], ARGV[VALUE + i], extra[i]
  local p, token, crashes, runat = byte(value, 7) - 48, last, '0', 0
  fields[#fields + 1] = id
  fields[#fields + 1] = value
  if at then
    if tonumber(ARGV[at + 2]) > tonumber(token) then token = ARGV[at + 2] end
    crashes, runat = ARGV[at + 3], tonumber(ARGV[at + 1])
  end
  local later = runat > now
  if later or token ~= '0' or crashes ~= '0' then
    metas[#metas + 1] = id
    metas[#metas + 1] = (later and 'D|' or 'W|') .. token .. '||' .. p .. '|' .. crashes
  end
  if later then
    due[#due + 1] = ARGV[at + 1]
    due[#due + 1] = id
  else
    local list = back[p + 1]
    list[#list + 1] = id
  end
end

local woke = false
local function flush()
  if #fields > 0 then call('HSET', jobs, unpack(fields)) end
  if #metas > 0 then call('HSET', meta, unpack(metas)) end
  if #due > 0 then call('ZADD', delayed, unpack(due)) end
  for p = 1, 4 do
    if #back[p] > 0 then
      call('RPUSH', KEYS[INBOX + p - 1], unpack(back[p]))
      woke = true
    end
  end
  fields, metas, due, back = {}, {}, {}, { {}, {}, {}, {} }
end

for i = 1, n do
  local id, at = ARGV[ID + i], extra[i]
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
  else
    local was = known[i]
    if seen[id] then -- twice in one batch: what is there by now decides
      flush()
      was = call('HGET', jobs, id)
    end
    seen[id] = true
    if not was then
      if at then call('ZREM', dead, id) end
      put(i, '0')
    elseif sub(was, 1, 6) < sub(ARGV[VALUE + i], 1, 6) then
      put(i, bury(id, was))
    end
  end
end
flush()
if woke then call('PUBLISH', wake, queue) end
return refused
