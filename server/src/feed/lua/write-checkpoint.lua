-- Purpose: keeps every seat's status after an entry, and the sequences that followers counted up to there, so that
--   the entries before it may go. Any node may write one at any time: an older one than there is does nothing.
-- KEYS: meta feed checkpoint
-- ARGV: {epoch, number, entries to keep behind it}, statuses, sequences as 32-bit little-endian numbers
-- Reply: the number of the checkpoint that there is now, or nil if the epoch is another.

local epoch, number, kept = unpack(cmsgpack.unpack(ARGV[1]))
if tonumber(redis.call('HGET', KEY.meta, 'epoch')) ~= epoch then return false end
local there = tonumber(redis.call('HGET', KEY.checkpoint, 'number'))
if there >= number then return there end
redis.call('HSET', KEY.checkpoint, 'number', string.format('%.0f', number), 'statuses', ARGV[2],
  'sequences', ARGV[3])
if number > kept then
  redis.call('XTRIM', KEY.feed, 'MINID', string.format('%.0f-%.0f', epoch, number - kept + 1))
end
return number
