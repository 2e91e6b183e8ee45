#!lua flags=allow-oom
-- Returns jobs that a node holds to the front of their priority, those whose leases would have ended first in front, each with one crash more.
--
-- KEYS  1 meta  2 leases  3-6 inbox by priority
-- ARGV  1 queue  2 wake channel  3 node  4 cursor (0 begins)  5 about how many leases to look at
-- Returns the next cursor (0 when all were looked at), then the ids of those returned, the last first.
-- Atomic. Repeatable, and safe to run on many nodes at once. Leases are walked as ZSCAN does: one that is there from the first call to the
-- last is met, also if it is renewed or others come and go meanwhile. A cursor is worth nothing to another server.
-- Cost: O(1) a lease looked at, O(log n) a job returned.
local meta, leases = KEYS[1], KEYS[2]
local INBOX = 3
local queue, wake, node, cursor, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local PART = 1000 -- a small sorted set is walked in one step, however large the server is set to call small
local call = redis.call

if count < 1 or count > 1000 or not string.find(cursor, '^%d+$') then return redis.error_reply('ERR reap_holder: out of bounds') end
local scan = call('ZSCAN', leases, cursor, 'COUNT', count)
local answer, seen = { scan[1] }, scan[2]
local held = {}
for from = 1, #seen, 2 * PART do
  local ids = {}
  for i = from, math.min(from + 2 * PART, #seen) - 1, 2 do ids[#ids + 1] = seen[i] end
  local metas = call('HMGET', meta, unpack(ids))
  for i = 1, #ids do
    local head, holder, p, crashes = string.match(metas[i] or '', '^L(|%d+|([^|]*)|(%d)|)(%d+)$')
    if holder == node then
      held[#held + 1] = { ends = tonumber(seen[from + 2 * i - 1]), id = ids[i], p = p, meta = 'W' .. head .. (crashes + 1) }
    end
  end
end
if #held == 0 then return answer end

table.sort(held, function(a, b) return a.ends > b.ends or a.ends == b.ends and a.id > b.id end)
for from = 1, #held, PART do
  local changed, gone = {}, {}
  local front = { {}, {}, {}, {} }
  for i = from, math.min(from + PART - 1, #held) do
    local h = held[i]
    changed[#changed + 1] = h.id
    changed[#changed + 1] = h.meta
    gone[#gone + 1] = h.id
    answer[#answer + 1] = h.id
    local list = front[h.p + 1]
    list[#list + 1] = h.id
  end
  call('ZREM', leases, unpack(gone))
  call('HSET', meta, unpack(changed))
  for p = 1, 4 do
    if #front[p] > 0 then call('LPUSH', KEYS[INBOX + p - 1], unpack(front[p])) end
  end
end
call('PUBLISH', wake, queue)
return answer
