#!lua flags=no-writes
-- Says which jobs are known.
--
-- KEYS  1 jobs
-- ARGV  ids
-- Returns the positions of those that are not.
-- Atomic. Reads only.
local jobs = KEYS[1]

local unknown = {}
for i = 1, #ARGV do
  if redis.call('HEXISTS', jobs, ARGV[i]) == 0 then unknown[#unknown + 1] = i end
end
return unknown
