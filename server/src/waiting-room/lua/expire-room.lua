-- Purpose: ends admissions at their deadline and places whose buyer was away for the grace time, and brings back what
--   a clock that was set back left too far ahead.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside place-networks network-places restored
-- ARGV: {given instant or false, opens at, grace ms, admission lifetime ms, how many of each at most}
-- Reply: how many.
-- include: waiting-book.lua

local given, opens_at, grace, lifetime, limit = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)
is_draw_closed(now, opens_at)
pull_back(now, grace, lifetime, limit)
local count = expire_due(now, limit)
commit()
return count
