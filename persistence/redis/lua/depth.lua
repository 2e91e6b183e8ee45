#!lua flags=no-writes
-- Counts a queue's jobs, and finds those at the head of each priority.
--
-- KEYS  1 jobs  2 meta  3 leases  4 delayed  5 dead  6-9 inbox by priority
-- ARGV  1 how many elements of each list it may look at
-- Returns jobs, leases, delayed, dead, then the id at the head of each priority that has a waiting job.
-- Atomic. Reads only. Waiting jobs are those known that are neither leased nor delayed; the lists may hold elements
-- that stand for none. If a list's first elements all do, the last one looked at is given, which is no younger.
local jobs, meta, leases, delayed, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local INBOX = 6
local look = tonumber(ARGV[1])
local call = redis.call

local all, leased, later = call('HLEN', jobs), call('ZCARD', leases), call('ZCARD', delayed)
local answer = { all, leased, later, call('ZCARD', dead) }
if all <= leased + later then return answer end
for p = 0, 3 do
  local from, head = 0, nil
  while not head do
    local ids = call('LRANGE', KEYS[INBOX + p], from, from + 15)
    if #ids == 0 then break end
    for _, id in ipairs(ids) do
      local m = call('HGET', meta, id)
      if m and string.byte(m) == 87 or not m and call('HEXISTS', jobs, id) == 1 then -- 87: W
        head = id
        break
      end
    end
    from = from + #ids
    if from >= look then head = head or ids[#ids] end
  end
  if head then answer[#answer + 1] = head end
end
return answer
