-- Purpose: takes a place, or returns the one that the session has [P4].
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside
-- ARGV: {now, opens at, session, score in the draw, first score after it, places at most}
-- Reply: packed {0, standing} or {refusal, {}, ''}.
-- include: waiting-book.lua

local now, opens_at, session, draw_score, late_score, queue_max = unpack(cmsgpack.unpack(ARGV[1]))
local draw_closed = is_draw_closed(now, opens_at)

-- Room for one is enough; the rest is the sweep's, so that a join never keeps everybody waiting [P7].
local EXPIRED_PER_JOIN_MAX = 100

local function is_full()
  return redis.call('ZCARD', KEY.waiting) >= queue_max
end

local function decide()
  if not live_stay_of(session, now) then
    if is_full() then expire_due(now, EXPIRED_PER_JOIN_MAX) end
    if is_full() then return { REFUSED.queue_full, {}, '' } end
    local score = draw_score
    if draw_closed then score = late_score + redis.call('HINCRBY', KEY.room, 'late-joins', 1) - 1 end
    redis.call('ZADD', KEY.waiting, score, session)
    redis.call('ZADD', KEY.seen, now, session)
    redis.call('ZREM', KEY.outside, session)
  end
  return { 0, standing_of(session, now, draw_closed) }
end

local outcome = decide()
commit()
return cmsgpack.pack(outcome)
