#!lua flags=allow-oom
-- Gives leases another term.
--
-- KEYS  1 jobs  2 meta  3 leases  4 cancels
-- ARGV  1 term (microseconds)  2 n  then n ids, then runs of two that cover them in order: how many, their fence ("L|token|node|")
-- Returns, flat, what is not simply held: position, then 2 lost, 3 forgotten, 4 held and its cancellation requested.
-- Atomic. Repeatable.
local jobs, meta, leases, cancels = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local term, n = tonumber(ARGV[1]), tonumber(ARGV[2])
local ID, RUNS = 2, 3 + n
local find, call = string.find, redis.call

local covered = 0
for at = RUNS, #ARGV, 2 do covered = covered + tonumber(ARGV[at]) end
if n < 1 or term < 1 or covered ~= n then return redis.error_reply('ERR renew: wrong arguments') end

local t = call('TIME')
local deadline = string.format('%.0f', t[1] * 1000000 + t[2] + term)
local metas = call('HMGET', meta, unpack(ARGV, ID + 1, ID + n))
local flags = call('SCARD', cancels) > 0 and call('SMISMEMBER', cancels, unpack(ARGV, ID + 1, ID + n))
local z, answers, i = {}, {}, 0
for at = RUNS, #ARGV, 2 do
  local fence = ARGV[at + 1]
  for _ = 1, tonumber(ARGV[at]) do
    i = i + 1
    local m, id, answer = metas[i], ARGV[ID + i], nil
    if m and find(m, fence, 1, true) == 1 then
      z[#z + 1] = deadline
      z[#z + 1] = id
      if flags and flags[i] == 1 then answer = 4 end
    elseif m or call('HEXISTS', jobs, id) == 1 then
      answer = 2
    else
      answer = 3
    end
    if answer then
      answers[#answers + 1] = i
      answers[#answers + 1] = answer
    end
  end
end
if #z > 0 then call('ZADD', leases, unpack(z)) end
return answers
