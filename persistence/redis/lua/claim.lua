#!lua flags=allow-oom
-- Leases waiting jobs to a node, smallest priority first, those that waited longest first.
--
-- KEYS  1 jobs  2 meta  3 leases  4 cancels  5 ghosts  6 the node's last claim  7-10 inbox by priority
-- ARGV  1 node  2 nonce  3 max  4 lease (microseconds)  5 bytes of jobs after which it is enough
-- Returns the heads, then the value of each job. The heads are one string: "+" if more may wait, else ".", then for each job
-- its id (36 bytes), "!" if its cancellation was requested, else "-", its new meta and a newline. (Values are
-- not joined: to build one long string costs Lua more than all the rest.)
-- Atomic. Repeatable: a call with the nonce of the node's last claim gives the jobs of that claim again, so that a lost
-- reply loses no lease. They are found by their deadline, which no two claims share (microseconds).
-- Cost: O(log n) a job leased, whatever waits. Ghosts and other elements that stand for no waiting job are dropped.
local jobs, meta, leases, cancels, ghosts, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local INBOX = 7
local node, nonce, max = ARGV[1], ARGV[2], tonumber(ARGV[3])
local lease, enough = tonumber(ARGV[4]), tonumber(ARGV[5])
local byte, sub, match, format, call = string.byte, string.sub, string.match, string.format, redis.call
local POPS = 5000 -- elements one call may drop before it lets others have a turn

if max < 1 or max > 1000 or lease < 1 or enough < 1 then return redis.error_reply('ERR claim: out of bounds') end
-- Of the right type, all of them, before the first is changed.
call('HLEN', meta)
call('ZCARD', leases)
local cancelling = call('SCARD', cancels) > 0
local haunted = call('HLEN', ghosts) > 0
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

-- Leases those of ids that may be, and adds them to the answer.
local function take(ids, held)
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
    elseif held then
      if match(m, '^L|%d+|([^|]*)|') == node then now = m end
    elseif byte(m) == 87 then -- W
      local token, p, crashes = match(m, '^W|(%d+)|[^|]*|(%d)|(%d+)$')
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
  if #ids > 0 then take(ids, true) end
end

if taken == 0 then
  local pops, step = 0, 50 -- a small first step shows how large the jobs are
  for p = 0, 3 do
    while taken < max and bytes < enough and pops < POPS do
      if taken > 0 then step = math.max(1, math.floor((enough - bytes) / (bytes / taken))) end
      local want = math.min(max - taken, step, 500)
      local ids = call('LPOP', KEYS[INBOX + p], want)
      if not ids then break end
      pops = pops + #ids
      local some = #ids < want
      if haunted then ids = living(ids, p) end
      if #ids > 0 then take(ids, false) end
      if some then break end
    end
  end
  if taken >= max or bytes >= enough or pops >= POPS then more = '+' end
end
if taken > 0 then call('SET', last, nonce .. '|' .. deadline, 'PX', math.ceil(lease / 1000) + 1000) end
out[1] = more .. table.concat(heads)
return out
