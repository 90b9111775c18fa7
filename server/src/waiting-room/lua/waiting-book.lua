-- include: ../../platform/lua/store-time.lua
-- include: ../../feed/lua/write-feed.lua
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

local function tell(notice)
  elements[#elements + 1] = { {}, notice }
end

-- Writes what there is to tell into the show's feed, in this step.
local function commit()
  if #elements == 0 then return end
  -- Before the seats are set up there is no epoch, and nobody follows yet.
  local epoch = redis.call('HGET', KEY.meta, 'epoch') or '0'
  append(epoch, redis.call('HINCRBY', KEY.meta, 'fed', 1), cmsgpack.pack(elements))
end

local function write_all(command, key, values)
  for from = 1, #values, SLICE do
    redis.call(command, key, unpack(values, from, math.min(from + SLICE - 1, #values)))
  end
end

local is_draw_over = redis.call('HGET', KEY.room, 'draw-closed') ~= false

-- Whatever is asked at or past the opening, the draw is over from then on, also when the clock is set back [P4].
local function is_draw_closed(now, opens_at)
  if not is_draw_over and now >= opens_at then
    redis.call('HSET', KEY.room, 'draw-closed', 1)
    is_draw_over = true
  end
  return is_draw_over
end

local function after(instant)
  return '(' .. string.format('%.0f', instant)
end

local function admission_text(is_claim, deadline, begun)
  return string.format('%s%.0f:%.0f', is_claim and 'c' or 'f', deadline, begun)
end

-- Gives a single session a whole admission and tells its tabs.
local function open_admission(session, deadline, begun)
  redis.call('ZADD', KEY.admitted, deadline, session)
  redis.call('HSET', KEY.admissions, session, admission_text(false, deadline, begun))
  tell({ 'admitted', { session, deadline } })
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
    tell({ 'outside', session, reason })
  end
  write_all('ZADD', KEY.outside, scored)
  redis.call('ZREMRANGEBYRANK', KEY.outside, 0, -OUTSIDE_REMEMBERED_MAX - 1)
end

local function end_places(sessions, reason)
  if #sessions == 0 then return end
  write_all('ZREM', KEY.waiting, sessions)
  write_all('ZREM', KEY.place_ends, sessions)
  write_all('ZREM', KEY.seen, sessions)
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
local function live_stay_of(session, now)
  local stay = stay_of(session)
  if not stay or now < stay.ends then return stay end
  end_stay(stay, 'expired')
  return nil
end

-- Brings back ends that lie too far ahead because the clock was set back: a place's end to a grace time from now, and
-- an admission from the future to one from now, which its buyer is told.
local function pull_back(now, grace, lifetime, limit)
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', KEY.place_ends, after(now + grace), '+inf', 'LIMIT', 0, limit)) do
    redis.call('ZADD', KEY.place_ends, now + grace, session)
  end
  for _, session in ipairs(redis.call('ZRANGEBYSCORE', KEY.admitted, after(now + lifetime), '+inf', 'LIMIT', 0, limit)) do
    local stay = stay_of(session)
    if stay.begun > now then open_admission(session, now + lifetime, now) end
  end
end

-- Ends what is due, admissions before places, at most `limit` of each, and returns how many.
local function expire_due(now, limit)
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

local function standing_of(session, now, draw_closed)
  local stay = stay_of(session)
  if stay and now < stay.ends then return standing_of_stay(stay, draw_closed) end
  if stay then return { 'outside', 'expired' } end
  local outside = redis.call('ZSCORE', KEY.outside, session)
  for reason, number in pairs(REASONS) do
    if outside and tonumber(outside) % 8 == number then return { 'outside', reason } end
  end
  return { 'outside', 'not-joined' }
end
