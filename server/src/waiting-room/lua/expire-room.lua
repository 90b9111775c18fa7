-- Purpose: ends admissions at their deadline and places whose buyer was away for the grace time.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside
-- ARGV: {now, opens at, how many of each at most}
-- Reply: how many.
-- include: waiting-book.lua

local now, opens_at, limit = unpack(cmsgpack.unpack(ARGV[1]))
is_draw_closed(now, opens_at)
local count = expire_due(now, limit)
commit()
return count
