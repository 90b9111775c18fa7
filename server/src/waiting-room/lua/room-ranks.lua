-- Purpose: how many are in front of each of some sessions, at one moment.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside place-networks network-places restored
-- ARGV: {given instant or false, opens at, {session…}}
-- Reply: packed {whether the draw is over, people waiting, {people ahead or -1…}}.
-- Calls: 2, and one for each session once the draw is over.
-- include: waiting-book.lua

local given, opens_at, sessions = unpack(cmsgpack.unpack(ARGV[1]))
local draw_closed = is_draw_closed(instant(given), opens_at)
local ahead = {}
for index, session in ipairs(sessions) do
  ahead[index] = draw_closed and redis.call('ZRANK', KEY.waiting, session) or -1
end
return cmsgpack.pack({ draw_closed, redis.call('ZCARD', KEY.waiting), ahead })
