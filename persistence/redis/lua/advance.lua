#!lua flags=allow-oom
-- Sets jobs' public states and announces them, except those that are older than what is there: whoever was stopped or cut off
-- between a commit and its telling tells of the past when it goes on. It also takes the place of plain commands on a server that is
-- too full for them: a key must not go on saying that a job runs which has ended.
--
-- KEYS  1 and on: job:<id>, also the channel of that name
-- ARGV  1 how long the key of a job that goes on is kept (ms)  2 the same of one that has ended  3 a letter for each key: "e" if
--       its job has ended, else "-"  4 a channel between nodes, 5 what to say there if no state is too old; both "" for nothing
--       then for each key the state's version and the state (JSON, which begins with "id" and "version")
-- Returns a list: how many heard the word, -1 if it was not said; then the positions of the states that were too old, from 1.
-- Atomic. Repeatable: the second time the same is said again.
local live, ended, ends, channel, word = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local STATE = 4
local byte, match, call, tonumber = string.byte, string.match, redis.call, tonumber
local PREFIX = 95 -- enough of a state to hold its version

if #ARGV ~= STATE + 1 + 2 * #KEYS or #ends ~= #KEYS then return redis.error_reply('ERR advance: wrong number of arguments') end

local answer = {-1}
for i = 1, #KEYS do
  local key, version, state = KEYS[i], ARGV[STATE + 2 * i], ARGV[STATE + 2 * i + 1]
  local there = call('GETRANGE', key, 0, PREFIX)
  if there ~= '' and tonumber(match(there, '"version":(%d+)') or 0) > tonumber(version) then
    answer[#answer + 1] = i
  else
    call('SET', key, state, 'PX', byte(ends, i) == 101 and ended or live) -- 101: e
    call('PUBLISH', key, state)
  end
end
if channel ~= '' and #answer == 1 then answer[1] = call('PUBLISH', channel, word) end
return answer
