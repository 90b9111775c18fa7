-- Purpose: what buyers did with their places in one turn of a node's event loop, in order, each step for itself [P4].
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside place-networks network-places restored
-- ARGV: {given instant or false, first score after the draw, a name for a new room, {step…}}, each step {kind, opens at, …}:
--   'join', …, session, score in the draw, network or false, places at most, of one network at most,
--     name of a lost room or false, score there: takes a place, or
--     returns the one that the session has
--   'leave', …, session: gives up place or admission; who is outside already stays so for the old reason
--   'finish', …, session, ordered at: ends the visit that the order was part of, not one begun since
--   'standing', …, session
--   'present', …, {session…}, present, grace ms, admission lifetime ms: sessions have sockets on a node, or their
--     last one there went; nothing for those outside
-- Reply: packed {answer…}: of 'join' {0, standing} or {refusal, {}, ''}, of 'present' true, else a standing.
-- include: waiting-book.lua

local given, late_score, new_name, steps = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)
local answer_to = {}

-- Room for one is enough; the rest is the sweep's, so that a join never keeps everybody waiting [P7].
local EXPIRED_PER_JOIN_MAX = 100

-- Why there is no room for somebody from a network; nil if there is.
local function refusal_of(network, queue_max, network_max)
  if network and tonumber(redis.call('HGET', KEY.network_places, network) or 0) >= network_max then
    return REFUSED.network_full
  end
  if redis.call('ZCARD', KEY.waiting) >= queue_max then return REFUSED.queue_full end
end

-- The score of a place that an earlier room gave; nil where there is none to give back.
local function restored_score(session, lost_room, lost_score)
  if not lost_room or lost_room == redis.call('HGET', KEY.room, 'name') then return nil end
  if redis.call('ZSCORE', KEY.outside, session) then return nil end
  if redis.call('SADD', KEY.restored, session) == 0 then return nil end
  redis.call('HSETNX', KEY.room, 'restoring-since', string.format('%.0f', now))
  return lost_score
end

local function next_late(opens_at)
  local last = tonumber(redis.call('HGET', KEY.room, 'last-late') or -1)
  local late = math.max(last + 1, (now - opens_at) * 1000, 0)
  redis.call('HSET', KEY.room, 'last-late', string.format('%.0f', late))
  return late
end

function answer_to.join(draw_closed, opens_at, session, draw_score, network, queue_max, network_max, lost_room, lost_score)
  local stay = live_stay_of(session, now)
  if not stay then
    if refusal_of(network, queue_max, network_max) then expire_due(now, EXPIRED_PER_JOIN_MAX) end
    local refusal = refusal_of(network, queue_max, network_max)
    if refusal then return { refusal, {}, '' } end
    redis.call('HSETNX', KEY.room, 'name', new_name)
    local score = restored_score(session, lost_room, lost_score)
    if not score then score = draw_closed and late_score + next_late(opens_at) or draw_score end
    redis.call('ZADD', KEY.waiting, score, session)
    redis.call('ZADD', KEY.seen, now, session)
    redis.call('ZREM', KEY.outside, session)
    if network then
      redis.call('HSET', KEY.place_networks, session, network)
      redis.call('HINCRBY', KEY.network_places, network, 1)
    end
    stay = { session = session, kind = 'waiting', ends = math.huge, score = score }
  end
  return { 0, standing_of_stay(stay, draw_closed) }
end

function answer_to.leave(draw_closed, _, session)
  local stay = live_stay_of(session, now)
  if stay then end_stay(stay, 'left') end
  return standing_of(session, now, draw_closed)
end

function answer_to.finish(draw_closed, _, session, ordered_at)
  local stay = live_stay_of(session, now)
  if stay and stay.kind == 'admitted' and stay.begun <= ordered_at then end_stay(stay, 'finished') end
  return standing_of(session, now, draw_closed)
end

function answer_to.standing(draw_closed, _, session)
  return standing_of(session, now, draw_closed)
end

-- Going starts the grace time, once: repeating it does not lengthen it.
local function set_place_end(stay, present, grace)
  if present then
    redis.call('ZREM', KEY.place_ends, stay.session)
    redis.call('ZADD', KEY.seen, now, stay.session)
  else
    redis.call('ZADD', KEY.place_ends, math.min(stay.ends, now + grace), stay.session)
  end
end

local function set_admission_end(stay, present, grace, lifetime)
  if not stay.is_claim then
    redis.call('ZADD', KEY.admitted, present and stay.deadline or math.min(stay.ends, now + grace), stay.session)
  elseif present then
    open_admission(stay.session, now + lifetime, stay.begun)
  end
end

function answer_to.present(_, _, sessions, present, grace, lifetime)
  for _, session in ipairs(sessions) do
    local stay = live_stay_of(session, now)
    if stay and stay.kind == 'waiting' then
      set_place_end(stay, present, grace)
    elseif stay then
      set_admission_end(stay, present, grace, lifetime)
    end
  end
  return true
end

local answers = {}
for index, step in ipairs(steps) do
  local kind, opens_at = step[1], step[2]
  answers[index] = answer_to[kind](is_draw_closed(now, opens_at), opens_at, unpack(step, 3))
end
commit()
return cmsgpack.pack(answers)
