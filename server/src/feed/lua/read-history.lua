-- Purpose: brings a follower up to this moment: with the entries after those it has, or with a base and the
--   entries after that. Starts a new epoch where entries are missing: see begin-history.lua.
-- KEYS: meta seats feed checkpoint
-- ARGV: {epoch and number that the follower has (0, 0: none), random number for another epoch}
-- Reply: nil without a history, or the whole of it; else {epoch, number that the entries follow, base, entry…}; the
--   base is nil, or {statuses, sequences as 32-bit little-endian numbers}.
-- include: ../../platform/lua/store-time.lua
-- include: begin-history.lua

local known_epoch, known_number, random = unpack(cmsgpack.unpack(ARGV[1]))
local meta = read_meta()
if not meta then return false end
local epoch, fed = meta.epoch, meta.fed

local function reply(number, base, entries)
  local answer = { epoch, number, base }
  for index, entry in ipairs(entries) do answer[3 + index] = entry[2][2] end
  return answer
end

-- Everything after entry `number`; nil if some of it is missing.
local function entries_after(number)
  if number > fed then return nil end
  if number == fed then return {} end
  local from = string.format('%.0f-%.0f', epoch, number + 1)
  local entries = redis.call('XRANGE', KEY.feed, from, '+')
  if #entries == fed - number then return entries end
  return nil
end

if known_epoch == epoch then
  local entries = entries_after(known_number)
  if entries then return reply(known_number, false, entries) end
end
local checkpoint = redis.call('HMGET', KEY.checkpoint, 'number', 'statuses', 'sequences')
local entries = checkpoint[1] and entries_after(tonumber(checkpoint[1]))
if not entries then
  epoch = renew_history(meta, random, instant(false))
  fed = tonumber(redis.call('HGET', KEY.meta, 'fed'))
  checkpoint = redis.call('HMGET', KEY.checkpoint, 'number', 'statuses', 'sequences')
  entries = entries_after(tonumber(checkpoint[1]))
end
return reply(tonumber(checkpoint[1]), { checkpoint[2], checkpoint[3] }, entries)
