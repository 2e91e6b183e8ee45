#!lua flags=allow-oom
-- Forgets jobs that wait or are delayed, and takes ids off the list of dead letters. Leased jobs are left to their holders.
--
-- KEYS  1 jobs  2 meta  3 delayed  4 cancels  5 dead  6 ghosts  7 parked
-- ARGV  ids
-- Returns how many ids are not known now.
-- Atomic. Repeatable. A list's element of such a job becomes a ghost, which the claim that meets it drops.
local jobs, meta, delayed, cancels, dead, ghosts, parked = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local byte, call = string.byte, redis.call

local metas = call('HMGET', meta, unpack(ARGV))
local gone = {}
for i = 1, #ARGV do
  local id, state = ARGV[i], metas[i] and byte(metas[i])
  if state ~= 76 then -- L
    gone[#gone + 1] = id
    if not state or state == 87 then -- W
      local value = call('HGET', jobs, id)
      if value then call('HINCRBY', ghosts, string.sub(value, 7, 7) .. id, 1) end
    elseif state == 80 then -- P
      call('ZREM', parked, string.gsub(metas[i], '^P|%d+|([^|]*|%d)|.*$', '%1') .. id)
    end
    call('HDEL', jobs, id)
  end
end
call('ZREM', dead, unpack(ARGV))
if #gone == 0 then return 0 end
call('HDEL', meta, unpack(gone))
call('ZREM', delayed, unpack(gone))
call('SREM', cancels, unpack(gone))
return #gone
