#!lua flags=allow-oom
-- Makes delayed jobs claimable now, at the back of their priority; others are left as they are.
--
-- KEYS  1 meta  2 delayed  3-6 inbox by priority
-- ARGV  1 queue  2 wake channel  then two for each job: id, the least its token shall be
-- Returns how many were moved.
-- Atomic. Repeatable.
local meta, delayed = KEYS[1], KEYS[2]
local INBOX = 3
local queue, wake = ARGV[1], ARGV[2]
local call = redis.call

for at = 3, #ARGV, 2 do
  if not tonumber(ARGV[at + 1]) then return redis.error_reply('ERR hasten: not a number') end
end
local moved = 0
for at = 3, #ARGV, 2 do
  local id, token = ARGV[at], ARGV[at + 1]
  local last, node, p, crashes = string.match(call('HGET', meta, id) or '', '^D|(%d+)|([^|]*)|(%d)|(%d+)$')
  if last then
    if tonumber(last) > tonumber(token) then token = last end
    call('HSET', meta, id, 'W|' .. token .. '|' .. node .. '|' .. p .. '|' .. crashes)
    call('ZREM', delayed, id)
    call('RPUSH', KEYS[INBOX + p], id)
    moved = moved + 1
  end
end
if moved > 0 then call('PUBLISH', wake, queue) end
return moved
