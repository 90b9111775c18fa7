-- Purpose: looks at the live holds of sessions; changes nothing.
-- KEYS: holds
-- ARGV: {given instant, {session…}}
-- Reply: for each session its hold's record (hold-book.lua), or nil.
-- include: ../../platform/lua/store-time.lua

local given, sessions = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)
local records = redis.call('HMGET', KEY.holds, unpack(sessions))
for index, record in ipairs(records) do
  if record and select(2, struct.unpack('<dd', record)) <= now then records[index] = false end
end
return records
