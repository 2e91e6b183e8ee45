#!lua flags=allow-oom
-- Forgets jobs that wait or are delayed, and takes ids off the list of dead letters. Leased jobs are left to their holders.
--
-- KEYS  1 jobs  2 meta  3 delayed  4 cancels  5 dead
-- ARGV  ids
-- Returns how many jobs were forgotten.
-- Atomic. Repeatable. What the inbox's lists say of such a job is dropped by the claim that meets it.
local jobs, meta, delayed, cancels, dead = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local byte, call = string.byte, redis.call

local metas = call('HMGET', meta, unpack(ARGV))
local gone = {}
for i = 1, #ARGV do
  if not metas[i] or byte(metas[i]) ~= 76 then gone[#gone + 1] = ARGV[i] end -- 76: L
end
call('ZREM', dead, unpack(ARGV))
if #gone == 0 then return 0 end
call('HDEL', meta, unpack(gone))
call('ZREM', delayed, unpack(gone))
call('SREM', cancels, unpack(gone))
return call('HDEL', jobs, unpack(gone))
