-- Purpose: looks at the live holds of sessions; changes nothing.
-- KEYS: buyers
-- ARGV: {given instant, {session…}}
-- Reply: for each session its hold as hold-book.lua packs it, or nil.
-- include: ../../platform/lua/store-time.lua

local given, sessions = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)
local records = redis.call('HMGET', KEY.buyers, unpack(sessions))
for index, record in ipairs(records) do
  if record and cmsgpack.unpack(record)[2] <= now then records[index] = false end
end
return records
