#!lua flags=no-writes
-- Counts a queue's jobs, and finds those at the head of each priority.
--
-- KEYS  1 jobs  2 meta  3 leases  4 delayed  5 dead  6 ghosts  7-10 inbox by priority  11 parked
-- ARGV  1 how many elements of each list it may look at
-- Returns jobs, leases, delayed, dead, when the oldest of the dead became one (ms, 0 if there is none), under how many names jobs are parked,
-- then each such name and how many are, then the id at the head of each priority that has a waiting job, in the lists and under each name.
-- Atomic. Reads only. Waiting jobs are those known that are neither leased nor delayed; the lists may hold ghosts,
-- too. If a list's first elements all are, the last one looked at is given, which is near enough.
local jobs, meta, leases, delayed, dead, ghosts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local INBOX = 7
local parked = KEYS[11]
local look = tonumber(ARGV[1])
local call = redis.call

local all, leased, later = call('HLEN', jobs), call('ZCARD', leases), call('ZCARD', delayed)
local eldest = call('ZRANGE', dead, 0, 0, 'WITHSCORES')
local answer = { all, leased, later, call('ZCARD', dead), tonumber(eldest[2] or 0), 0 }
if all <= leased + later then return answer end
local heads, from = {}, '-'
local member = call('ZRANGEBYLEX', parked, from, '+', 'LIMIT', 0, 1)[1]
while member do
  local name = string.match(member, '^[^|]*')
  from = '(' .. name .. '}' -- the byte after |
  answer[6] = answer[6] + 1
  answer[#answer + 1] = name
  answer[#answer + 1] = call('ZLEXCOUNT', parked, '[' .. name .. '|', from)
  for p = 0, 3 do
    local head = call('ZRANGEBYLEX', parked, '[' .. name .. '|' .. p, '(' .. name .. '|' .. (p + 1), 'LIMIT', 0, 1)[1]
    if head then heads[#heads + 1] = string.sub(head, -36) end
  end
  member = call('ZRANGEBYLEX', parked, from, '+', 'LIMIT', 0, 1)[1]
end
for _, id in ipairs(heads) do answer[#answer + 1] = id end
local haunted = call('HLEN', ghosts) > 0
for p = 0, 3 do
  local from, head, met = 0, nil, {}
  while not head do
    local ids = call('LRANGE', KEYS[INBOX + p], from, from + 15)
    if #ids == 0 then break end
    for _, id in ipairs(ids) do
      met[id] = (met[id] or 0) + 1
      local ghost = haunted and met[id] <= tonumber(call('HGET', ghosts, p .. id) or 0)
      if not ghost then
        local m = call('HGET', meta, id)
        if m and string.byte(m) == 87 or not m and call('HEXISTS', jobs, id) == 1 then -- 87: W
          head = id
          break
        end
      end
    end
    from = from + #ids
    if from >= look then head = head or ids[#ids] end
  end
  if head then answer[#answer + 1] = head end
end
return answer
