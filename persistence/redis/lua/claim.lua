#!lua flags=allow-oom
-- Leases waiting jobs to a node: first those parked ones that it can take, then the others; smallest priority first, those that waited
-- longest first, and of the parked ones those that were made first.
--
-- KEYS  1 jobs  2 meta  3 leases  4 cancels  5 ghosts  6 the node's last claim  7-10 inbox by priority  11 parked  12 cut
-- ARGV  1 node  2 nonce  3 max  4 lease (microseconds)  5 bytes of jobs after which it is enough  6 how many leases the queue may
--       have (0: any number)  7 how long it is remembered that this cut a claim (ms)  8.. names under which it takes parked jobs
-- Returns the heads, then the value of each job. The heads are one string: "+" if more may be claimed, else ".", then for each job
-- its id (36 bytes), "!" if its cancellation was requested, else "-", its new meta and a newline. (Values are
-- not joined: to build one long string costs Lua more than all the rest.)
-- Atomic. Repeatable: a call with the nonce of the node's last claim gives the jobs of that claim again, so that a lost
-- reply loses no lease. They are found by their deadline, which no two claims share (microseconds).
-- Cost: O(log n) a job leased, whatever waits; with jobs parked, some steps for each name. Ghosts and other elements that stand for no
-- waiting job are dropped.
local jobs, meta, leases, cancels, ghosts, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local INBOX = 7
local parked, cut = KEYS[11], KEYS[12]
local node, nonce, max = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lease, enough, limit, memory = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local CAN = 8
local byte, sub, match, format, call = string.byte, string.sub, string.match, string.format, redis.call
local POPS = 5000 -- elements one call may drop before it lets others have a turn

if max < 1 or max > 1000 or lease < 1 or enough < 1 or limit < 0 or memory < 1 then return redis.error_reply('ERR claim: out of bounds') end
-- Of the right type, all of them, before the first is changed.
call('HLEN', meta)
local leased = call('ZCARD', leases)
local cancelling = call('SCARD', cancels) > 0
local haunted = call('HLEN', ghosts) > 0
local sleeping = call('ZCARD', parked) > 0
local before = call('GET', last)
if call('HLEN', jobs) == 0 then return { '.' } end

local t = call('TIME')
local deadline = format('%.0f', t[1] * 1000000 + t[2] + lease)
local first, line = {}, {} -- by the byte of the priority: what a job's first claim writes and answers
for p = 0, 3 do
  local m = 'L|1|' .. node .. '|' .. p .. '|0'
  first[48 + p], line[48 + p] = m, '-' .. m .. '\n'
end
local out, heads, bytes, taken, more = { '' }, {}, 0, 0, '.'

-- Leases those of ids that may be, and adds them to the answer. State is what they must be: 87 (W), 80 (P), or 76 (L) if the claim is repeated.
local function take(ids, state)
  local values = call('HMGET', jobs, unpack(ids))
  local metas = call('HMGET', meta, unpack(ids))
  local flags = cancelling and call('SMISMEMBER', cancels, unpack(ids))
  local z, h, n, o = {}, {}, 0, #heads
  for i = 1, #ids do
    local id, value, m = ids[i], values[i], metas[i]
    local now, say
    if not value then
      if m then call('HDEL', meta, id) end
    elseif not m then
      local p = byte(value, 7)
      now, say = first[p], line[p]
    elseif state == 76 then
      if match(m, '^L|%d+|([^|]*)|') == node then now = m end
    elseif byte(m) == state then
      local token, p, crashes = match(m, '^%u|(%d+)|[^|]*|(%d)|(%d+)$')
      now = format('L|%.0f|%s|%s|%s', token + 1, node, p, crashes)
    end
    if now then
      if not say or (flags and flags[i] == 1) then
        say = ((flags and flags[i] == 1) and '!' or '-') .. now .. '\n'
      end
      n = n + 2
      z[n - 1], z[n], h[n - 1], h[n] = deadline, id, id, now
      heads[o + 1], heads[o + 2] = id, say
      o = o + 2
      taken = taken + 1
      out[taken + 1] = value
      bytes = bytes + #value
    end
  end
  if n > 0 then
    call('HSET', meta, unpack(h))
    call('ZADD', leases, unpack(z))
  end
end

-- Those of ids that are no ghosts; each ghost is laid to rest.
local function living(ids, p)
  local kept = {}
  for _, id in ipairs(ids) do
    local ghost = p .. id
    local count = call('HGET', ghosts, ghost)
    if not count then
      kept[#kept + 1] = id
    elseif count == '1' then
      call('HDEL', ghosts, ghost)
    else
      call('HINCRBY', ghosts, ghost, -1)
    end
  end
  return kept
end

if before and sub(before, 1, #nonce + 1) == nonce .. '|' then
  local same = sub(before, #nonce + 2)
  local ids = call('ZRANGEBYSCORE', leases, same, same, 'LIMIT', 0, 1000)
  if #ids > 0 then take(ids, 76) end
end

local pops, step = 0, 50 -- a small first step shows how large the jobs are

-- How many to pop next; 0 if it is enough.
local function wanted()
  if taken >= max or bytes >= enough or pops >= POPS then return 0 end
  if taken > 0 then step = math.max(1, math.floor((enough - bytes) / (bytes / taken))) end
  return math.min(max - taken, step, 500)
end

-- The names in ARGV under which jobs are parked, and how many those are.
local function takeable()
  local can, names, count, from = {}, {}, 0, '-'
  for i = CAN, #ARGV do can[ARGV[i]] = true end
  while true do
    local member = call('ZRANGEBYLEX', parked, from, '+', 'LIMIT', 0, 1)[1]
    if not member then return names, count end
    local name = match(member, '^[^|]*')
    from = '(' .. name .. '}' -- the byte after |
    if can[name] then
      names[#names + 1] = name
      count = count + call('ZLEXCOUNT', parked, '[' .. name .. '|', from)
    end
  end
end

if taken == 0 then
  local limited = false
  if limit > 0 and limit - leased < max then
    max, limited = limit - leased, true
  end
  local waiting = 0 -- parked jobs that it can take, and has not
  if sleeping and #ARGV >= CAN then
    local names
    names, waiting = takeable()
    for p = 0, 3 do
      for _, name in ipairs(names) do
        local from, to = '[' .. name .. '|' .. p, '(' .. name .. '|' .. (p + 1)
        local want = wanted()
        while want > 0 do
          local ids = call('ZRANGEBYLEX', parked, from, to, 'LIMIT', 0, want)
          if #ids == 0 then break end
          call('ZREM', parked, unpack(ids))
          pops, waiting = pops + #ids, waiting - #ids
          local some = #ids < want
          for i = 1, #ids do ids[i] = sub(ids[i], -36) end
          take(ids, 80)
          if some then break end
          want = wanted()
        end
      end
    end
  end
  for p = 0, 3 do
    local want = wanted()
    while want > 0 do
      local ids = call('LPOP', KEYS[INBOX + p], want)
      if not ids then break end
      pops = pops + #ids
      local some = #ids < want
      if haunted then ids = living(ids, p) end
      if #ids > 0 then take(ids, 87) end
      if some then break end
      want = wanted()
    end
  end
  if limited and taken >= max then
    for p = 0, 3 do
      if waiting <= 0 then waiting = call('LLEN', KEYS[INBOX + p]) end
    end
    if waiting > 0 then call('SET', cut, '', 'PX', memory) end
  elseif taken >= max or bytes >= enough or pops >= POPS then
    more = '+'
  end
end
if taken > 0 then call('SET', last, nonce .. '|' .. deadline, 'PX', math.ceil(lease / 1000) + 1000) end
out[1] = more .. table.concat(heads)
return out
