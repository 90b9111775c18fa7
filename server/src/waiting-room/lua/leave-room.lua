-- Purpose: gives up place or admission; who is outside already stays so for the old reason.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside
-- ARGV: {now, opens at, session, reason}
-- Reply: packed standing.
-- include: waiting-book.lua

local now, opens_at, session, reason = unpack(cmsgpack.unpack(ARGV[1]))
local draw_closed = is_draw_closed(now, opens_at)
local stay = live_stay_of(session, now)
if stay then end_stay(stay, reason) end
commit()
return cmsgpack.pack(standing_of(session, now, draw_closed))
