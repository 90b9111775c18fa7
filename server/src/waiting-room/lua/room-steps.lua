-- Purpose: what is done with the places and admissions of one show, in order, each step for itself [P4]: what buyers did
--   in one turn of a node's event loop, and letting people in.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside place-networks network-places restored
-- ARGV: {given instant or false, first score after the draw, a name for a new room, {step…}}, each step {kind, opens at, …}:
--   'join', …, session, score in the draw, network or false, places at most, of one network at most,
--     name of a lost room or false, score there: takes a place, or
--     returns the one that the session has
--   'leave', …, session: gives up place or admission; who is outside already stays so for the old reason
--   'finish', …, session, ordered at: ends the visit that the order was part of, not one begun since
--   'standing', …, session
--   'ranks', …, {session…}: how many are in front of each
--   'present', …, {session…}, present, grace ms, admission lifetime ms: sessions have sockets on a node, or their
--     last one there went; nothing for those outside
--   'admit', …, admissions per second, burst, admitted at most, admission lifetime ms, claim ms, presence ms, restoring ms:
--     lets in as many from the head as the token bucket and the cap allow; any number of nodes may ask for it and
--     together never admit more. Places that ran out are passed over and cost no admission.
--   'expire', …, grace ms, admission lifetime ms, how many of each at most: ends admissions at their deadline and places
--     whose buyer was away for the grace time, and brings back what a clock that was set back left too far ahead
-- Reply: packed {answer…}: of 'join' {0, standing} or {refusal, {}, ''}, of 'present' true, of 'admit' and 'expire'
--   how many, of 'ranks' {whether the draw is over, people waiting, admitted, {people ahead or -1…}}, else a standing.
-- include: ../../platform/lua/store-time.lua
-- include: ../../feed/lua/write-feed.lua

local given, late_score, new_name, steps = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)

-- Places and admissions of one show. A session is in `waiting` or in `admitted` or in neither.
--   waiting: session by score.              place-ends: absent session by the instant its place ends.
--   seen: waiting session by the instant its presence was last told.
--   admitted: session by the instant its admission ends; the seat scripts look here.
--   admissions: 'f' or, for one that an absent buyer has not claimed yet, 'c', the deadline, ':' and when it was given.
--   place-networks: where a session with a place or admission came from.   network-places: how many came from there.
--   outside: session by order of falling out, times 8, plus the reason's number.
--   restored: sessions that were given a place of an earlier room back.
--   room: name, draw-closed, last-late, tokens, filled-at, fallen-out, restoring-since (the first place given back).

-- How many of those who fell out are told why when they ask; the oldest are forgotten first [P7].
local OUTSIDE_REMEMBERED_MAX = 200000
local SLICE = 6000
local REASONS = { left = 1, expired = 2, finished = 3, lost = 4 }

local elements = {}

local function tell(kind, notice)
  elements[#elements + 1] = pack_element('', kind, notice)
end

-- What is told of an admission.
local function pack_admission(session, deadline)
  return struct.pack('<dBc0', deadline, #session, session)
end

-- Writes what there is to tell into the show's feed, in this step.
local function commit()
  if #elements == 0 then return end
  -- Before the seats are set up there is no epoch, and nobody follows yet.
  local epoch = redis.call('HGET', KEY.meta, 'epoch') or '0'
  append(epoch, redis.call('HINCRBY', KEY.meta, 'fed', 1), table.concat(elements))
end

local function write_all(command, key, values)
  for from = 1, #values, SLICE do
    redis.call(command, key, unpack(values, from, math.min(from + SLICE - 1, #values)))
  end
end

local is_draw_over = redis.call('HGET', KEY.room, 'draw-closed') ~= false

-- Whatever is asked at or past the opening, the draw is over from then on, also when the clock is set back [P4].
local function is_draw_closed(opens_at)
  if not is_draw_over and now >= opens_at then
    redis.call('HSET', KEY.room, 'draw-closed', 1)
    is_draw_over = true
  end
  return is_draw_over
end

local function after(instant)
  return '(' .. string.format('%.0f', instant)
end

local function admitted_count()
  return redis.call('ZCOUNT', KEY.admitted, after(now), '+inf')
end

local function admission_text(is_claim, deadline, begun)
  return string.format('%s%.0f:%.0f', is_claim and 'c' or 'f', deadline, begun)
end

-- Gives a single session a whole admission and tells its tabs.
local function open_admission(session, deadline, begun)
  redis.call('ZADD', KEY.admitted, deadline, session)
  redis.call('HSET', KEY.admissions, session, admission_text(false, deadline, begun))
  tell(NOTICE_ADMITTED, pack_admission(session, deadline))
end

-- {kind, ends, …}, live or over; nil for who is outside.
local function stay_of(session)
  local ends = redis.call('ZSCORE', KEY.admitted, session)
  if ends then
    local kind, deadline, begun = string.match(
      redis.call('HGET', KEY.admissions, session) or '', '^(.)(%d+):(%d+)$')
    return {
      session = session, kind = 'admitted', ends = tonumber(ends), is_claim = kind == 'c',
      deadline = tonumber(deadline or ends), begun = tonumber(begun or 0),
    }
  end
  local score = redis.call('ZSCORE', KEY.waiting, session)
  if not score then return nil end
  ends = redis.call('ZSCORE', KEY.place_ends, session)
  return {
    session = session, kind = 'waiting', ends = ends and tonumber(ends) or math.huge, score = tonumber(score),
  }
end

-- Gives back what places and admissions that end took of their networks' shares.
local function uncount_networks(sessions)
  for from = 1, #sessions, SLICE do
    local some = { unpack(sessions, from, math.min(from + SLICE - 1, #sessions)) }
    for _, network in ipairs(redis.call('HMGET', KEY.place_networks, unpack(some))) do
      if network and redis.call('HINCRBY', KEY.network_places, network, -1) <= 0 then
        redis.call('HDEL', KEY.network_places, network)
      end
    end
    redis.call('HDEL', KEY.place_networks, unpack(some))
  end
end

local function remember_outside(sessions, reason)
  uncount_networks(sessions)
  local last = redis.call('HINCRBY', KEY.room, 'fallen-out', #sessions)
  local scored = {}
  for index, session in ipairs(sessions) do
    scored[2 * index - 1] = (last - #sessions + index) * 8 + REASONS[reason]
    scored[2 * index] = session
    tell(NOTICE_OUTSIDE, struct.pack('<Bc0', #session, session) .. reason)
  end
  write_all('ZADD', KEY.outside, scored)
  redis.call('ZREMRANGEBYRANK', KEY.outside, 0, -OUTSIDE_REMEMBERED_MAX - 1)
end

local function forget_places(sessions)
  write_all('ZREM', KEY.waiting, sessions)
  write_all('ZREM', KEY.place_ends, sessions)
  write_all('ZREM', KEY.seen, sessions)
end

local function end_places(sessions, reason)
  if #sessions == 0 then return end
  forget_places(sessions)
  remember_outside(sessions, reason)
end

local function end_admissions(sessions, reason)
  if #sessions == 0 then return end
  write_all('ZREM', KEY.admitted, sessions)
  write_all('HDEL', KEY.admissions, sessions)
  remember_outside(sessions, reason)
end

local function end_stay(stay, reason)
  if stay.kind == 'waiting' then end_places({ stay.session }, reason) else end_admissions({ stay.session }, reason) end
end

-- The session's stay if its time has not run out; what has run out is swept on the way.
local function live_stay_of(session)
  local stay = stay_of(session)
  if not stay or now < stay.ends then return stay end
  end_stay(stay, 'expired')
  return nil
end

-- Brings back ends that lie too far ahead because the clock was set back: a place's end to a grace time from now, and
-- an admission from the future to one from now, which its buyer is told.
local function pull_back(grace, lifetime, limit)
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', KEY.place_ends, after(now + grace), '+inf', 'LIMIT', 0, limit)) do
    redis.call('ZADD', KEY.place_ends, now + grace, session)
  end
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', KEY.admitted, after(now + lifetime), '+inf', 'LIMIT', 0, limit)) do
    local stay = stay_of(session)
    if stay.begun > now then open_admission(session, now + lifetime, now) end
  end
end

-- Ends what is due, admissions before places, at most `limit` of each, and returns how many.
local function expire_due(limit)
  local admissions = redis.call('ZRANGEBYSCORE', KEY.admitted, '-inf', now, 'LIMIT', 0, limit)
  end_admissions(admissions, 'expired')
  local places = redis.call('ZRANGEBYSCORE', KEY.place_ends, '-inf', now, 'LIMIT', 0, limit)
  end_places(places, 'expired')
  return #admissions + #places
end

-- Where a session stands: {'outside', reason}, {'waiting', people ahead or -1, score, name of the room} or {'admitted', deadline}.
local function standing_of_stay(stay, draw_closed)
  if stay.kind == 'admitted' then return { 'admitted', stay.ends } end
  return { 'waiting', draw_closed and redis.call('ZRANK', KEY.waiting, stay.session) or -1, stay.score,
    redis.call('HGET', KEY.room, 'name') or '' }
end

local function standing_of(session, draw_closed)
  local stay = stay_of(session)
  if stay and now < stay.ends then return standing_of_stay(stay, draw_closed) end
  if stay then return { 'outside', 'expired' } end
  local outside = redis.call('ZSCORE', KEY.outside, session)
  for reason, number in pairs(REASONS) do
    if outside and tonumber(outside) % 8 == number then return { 'outside', reason } end
  end
  return { 'outside', 'not-joined' }
end

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
  local stay = live_stay_of(session)
  if not stay then
    if refusal_of(network, queue_max, network_max) then expire_due(EXPIRED_PER_JOIN_MAX) end
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
  local stay = live_stay_of(session)
  if stay then end_stay(stay, 'left') end
  return standing_of(session, draw_closed)
end

function answer_to.finish(draw_closed, _, session, ordered_at)
  local stay = live_stay_of(session)
  if stay and stay.kind == 'admitted' and stay.begun <= ordered_at then end_stay(stay, 'finished') end
  return standing_of(session, draw_closed)
end

function answer_to.standing(draw_closed, _, session)
  return standing_of(session, draw_closed)
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

function answer_to.ranks(draw_closed, _, sessions)
  local ahead = {}
  for index, session in ipairs(sessions) do
    ahead[index] = draw_closed and redis.call('ZRANK', KEY.waiting, session) or -1
  end
  return { draw_closed, redis.call('ZCARD', KEY.waiting), admitted_count(), ahead }
end

function answer_to.present(_, _, sessions, present, grace, lifetime)
  for _, session in ipairs(sessions) do
    local stay = live_stay_of(session)
    if stay and stay.kind == 'waiting' then
      set_place_end(stay, present, grace)
    elseif stay then
      set_admission_end(stay, present, grace, lifetime)
    end
  end
  return true
end

function answer_to.expire(_, _, grace, lifetime, limit)
  pull_back(grace, lifetime, limit)
  return expire_due(limit)
end

-- Adding up tenths gives 0.999…; this much short of a whole token counts as one, and is owed by the next.
local ROUNDING = 1e-9
local HEADS_PER_TURN = 1000

-- Turns places into admissions, but for those that ran out, and returns what is told of each.
local function admit_heads(heads, lifetime, claim_lifetime, presence)
  local ends = redis.call('ZMSCORE', KEY.place_ends, unpack(heads))
  local seen = redis.call('ZMSCORE', KEY.seen, unpack(heads))
  local told, scored, records, over = {}, {}, {}, {}
  for index, session in ipairs(heads) do
    local place_ends = ends[index] and tonumber(ends[index])
    if place_ends and now >= place_ends then
      over[#over + 1] = session
    else
      -- Whose node died was never said to be absent; nobody spoke of them any more.
      local is_unseen = now - (tonumber(seen[index] or 0) or 0) >= presence
      local is_claim = is_unseen or (place_ends ~= nil and place_ends ~= false)
      local deadline = now + (is_claim and math.min(claim_lifetime, lifetime) or lifetime)
      local at = #scored
      scored[at + 1], scored[at + 2] = deadline, session
      records[at + 1], records[at + 2] = session, admission_text(is_claim, deadline, now)
      told[#told + 1] = pack_admission(session, deadline)
    end
  end
  forget_places(heads)
  write_all('ZADD', KEY.admitted, scored)
  write_all('HSET', KEY.admissions, records)
  if #over > 0 then remember_outside(over, 'expired') end
  return told
end

function answer_to.admit(_, opens_at, per_second, burst, admitted_max, lifetime, claim_lifetime, presence, restoring)
  if now < opens_at then return 0 end
  local room = redis.call('HMGET', KEY.room, 'restoring-since', 'tokens', 'filled-at')
  -- Who comes back to a room that was lost is let in when the others had the time to come back, too.
  local restoring_since = tonumber(room[1] or -restoring)
  if now >= restoring_since and now < restoring_since + restoring then return 0 end
  -- A bucket that was filled in the future, before the clock was set back, counts as filled now.
  local elapsed = math.max(0, now - (tonumber(room[3]) or opens_at))
  local tokens = math.min(burst, (tonumber(room[2]) or burst) + elapsed * per_second / 1000)
  local allowed = math.min(math.max(0, math.floor(tokens + ROUNDING)), admitted_max - admitted_count())
  local count = 0
  while count < allowed do
    local heads = redis.call('ZRANGE', KEY.waiting, 0, math.min(HEADS_PER_TURN, allowed - count) - 1)
    if #heads == 0 then break end
    local admitted = admit_heads(heads, lifetime, claim_lifetime, presence)
    if #admitted > 0 then tell(NOTICE_ADMITTED, table.concat(admitted)) end
    count = count + #admitted
  end
  redis.call('HSET', KEY.room, 'tokens', string.format('%.17g', tokens - count), 'filled-at',
    string.format('%.17g', now))
  return count
end

local answers = {}
for index, step in ipairs(steps) do
  local kind, opens_at = step[1], step[2]
  answers[index] = answer_to[kind](is_draw_closed(opens_at), opens_at, unpack(step, 3))
end
commit()
return cmsgpack.pack(answers)
