#!lua flags=allow-oom
-- Says that a member lives and what it is, and declares dead a few others that do not, the longest silent first.
--
-- KEYS  1 members  2 terms  3 seen  4 silent  5 fallen  6 last  7 buried  8 words  9 roll
-- ARGV  1 name  2 how long it may be silent (microseconds)  3 incarnation  4 address  5 the member (JSON)  6 nonce  7 presence channel
--       without the name  8 "NUMSUB" or "SHARDNUMSUB"  9 "1" if its presence was confirmed anew since its last beat  10 most members
-- Returns the epoch, 1 if the member was declared dead since its last beat, 1 if anybody is among the fallen, who asked it to
-- drain; nothing at all if the list is full.
-- Atomic. Repeatable: the same nonce is told again that it returned.
--
-- A member falls when it has been silent for longer than it said, and still is a moment after that was noticed; or when it has been silent
-- for a shorter while, nobody hears its presence channel, and at its last beat somebody did. Neither counts before the list has
-- been well for as long as the member may be silent: since beats came without a pause, from one and the same server.
local members, terms, seen, silent, fallen, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local buried, words, roll = KEYS[7], KEYS[8], KEYS[9]
local name, silence, incarnation, address, member, nonce = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local presence, numsub, anew, most = ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10])
local FEW = 32            -- others that one beat looks at
local HUSH = 1200000      -- silent for so long, a member whose presence has ended is dead
local SECOND_LOOK = 250000 -- later than the first that found it silent for too long: what the server has yet to read is read by then
local PAUSE = 2000000     -- without any beat for so long, the list was not well
local DAY = 86400000000
local call, match = redis.call, string.match
local function text(n) return string.format('%.0f', n) end

if not silence or not most or #ARGV ~= 10 then return redis.error_reply('ERR beat: wrong arguments') end

local t = call('TIME')
local now = t[1] * 1000000 + t[2]
local r = call('HMGET', roll, 'epoch', 'last', 'since', 'run')
local epoch, before, since, run = tonumber(r[1]) or 0, tonumber(r[2]), tonumber(r[3]) or now, r[4]
local news = { 'last', text(now) }
local function tell(field, value)
  news[#news + 1] = field
  news[#news + 1] = value
end
local changed = false -- the epoch

-- well says whether this is the server that it was, and begins anew if not.
local same
local function well()
  if same == nil then
    local id = match(call('INFO', 'server'), 'run_id:(%x+)')
    same = id == run
    if not same then
      run, since = id, now
      tell('run', id)
      tell('since', text(now))
    end
  end
  return same
end

if not before or now < before or now - before > math.max(PAUSE, silence * 0.4) then
  since = now
  tell('since', text(now))
  well()
  if before and now < before then -- the clock was set back: what lies in its future would live for too long
    for _, id in ipairs(call('ZRANGEBYSCORE', seen, '(' .. text(now), '+inf')) do
      local may = match(call('HGET', terms, id) or '', '^%d+') or 0
      call('ZADD', seen, text(now), id)
      call('ZADD', silent, text(now + may), id)
    end
  end
elseif anew == '1' then
  well()
end

-- The member itself.
local own = call('HGET', terms, name)
local word = call('HMGET', words, 'drain:' .. name, 'back:' .. name, 'late:' .. name)
local returned = 0
if not own then
  if call('HLEN', members) >= most then return {} end
  changed = true
  if call('ZREM', fallen, name) + call('ZREM', buried, name) > 0 then
    returned = 1
    call('HDEL', last, name)
    call('HSET', words, 'back:' .. name, nonce)
  end
elseif word[2] == nonce then
  returned = 1
elseif word[2] then
  call('HDEL', words, 'back:' .. name)
end
if word[3] then call('HDEL', words, 'late:' .. name) end
local heard = call('PUBSUB', numsub, presence .. name)[2] > 0
local term = ARGV[2] .. '|' .. (heard and 1 or 0) .. '|' .. incarnation .. '|' .. address
if own ~= term then
  changed = changed or match(own, '^%d+|%d|(.*)$') ~= incarnation .. '|' .. address
  call('HSET', terms, name, term)
end
call('HSET', members, name, member)
call('ZADD', seen, text(now), name)
call('ZADD', silent, text(now + silence), name)

-- The others.
local function fall(id)
  local what = call('HGET', members, id)
  call('HDEL', members, id)
  call('HDEL', terms, id)
  call('ZREM', seen, id)
  call('ZREM', silent, id)
  call('HDEL', words, 'drain:' .. id, 'back:' .. id, 'late:' .. id)
  call('ZADD', fallen, text(now), id)
  call('HSET', last, id, what or '{}')
  changed = true
end
-- lowest are some of those whose score is below: the lowest, or of very many any, so that none that can't be judged hides the others.
local function lowest(key, score)
  local n = call('ZCOUNT', key, '-inf', '(' .. text(score))
  if n == 0 then return nil end
  local from = n > FEW and now % (n - FEW + 1) or 0
  return call('ZRANGE', key, from, from + math.min(n, FEW) - 1)
end
local function patience(id) return now - since > tonumber(match(call('HGET', terms, id) or '', '^%d+') or 0) end

local hushed = heard and lowest(seen, now - HUSH)
if hushed then
  local channels, said = {}, call('HMGET', terms, unpack(hushed))
  for i, id in ipairs(hushed) do channels[i] = presence .. id end
  local ears = call('PUBSUB', numsub, unpack(channels))
  for i, id in ipairs(hushed) do
    local may, was = match(said[i] or '0|0|', '^(%d+)|(%d)|')
    if was == '1' and ears[2 * i] == 0 and now - since > tonumber(may) and well() then fall(id) end
  end
end
local late = lowest(silent, now)
if late then
  for _, id in ipairs(late) do
    if patience(id) then
      local noticed = tonumber(call('HGET', words, 'late:' .. id))
      if not noticed then
        call('HSET', words, 'late:' .. id, text(now))
      elseif now - noticed >= SECOND_LOOK and well() then
        fall(id)
      end
    end
  end
end

local dead = call('ZCARD', fallen)
if dead > 0 then
  local gone = call('ZRANGEBYSCORE', fallen, '-inf', text(now - DAY), 'LIMIT', 0, FEW)
  if #gone == 0 and dead > most then gone = call('ZRANGE', fallen, 0, math.min(dead - most, FEW) - 1) end
  if #gone > 0 then
    dead = dead - call('ZREM', fallen, unpack(gone))
    call('HDEL', last, unpack(gone))
  end
end
if changed then -- no epoch comes twice, not even after a loss of all this: it is no less than the time
  epoch = math.max(epoch + 1, now)
  tell('epoch', text(epoch))
end
call('HSET', roll, unpack(news))
return { epoch, returned, dead > 0 and 1 or 0, word[1] or '' }
