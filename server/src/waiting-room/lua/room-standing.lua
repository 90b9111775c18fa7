-- Purpose: where a session stands.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside
-- ARGV: {now, opens at, session}
-- Reply: packed standing.
-- include: waiting-book.lua

local now, opens_at, session = unpack(cmsgpack.unpack(ARGV[1]))
return cmsgpack.pack(standing_of(session, now, is_draw_closed(now, opens_at)))
