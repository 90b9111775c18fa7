-- Purpose: sessions have sockets on a node, or their last one there went; nothing for those outside [P4].
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside
-- ARGV: {now, opens at, {session…}, present, grace ms, admission lifetime ms}
-- Reply: 1
-- include: waiting-book.lua

local now, opens_at, sessions, present, grace, lifetime = unpack(cmsgpack.unpack(ARGV[1]))
is_draw_closed(now, opens_at)

-- Going starts the grace time, once: repeating it does not lengthen it.
local function set_place_end(stay)
  if present then
    redis.call('ZREM', KEY.place_ends, stay.session)
    redis.call('ZADD', KEY.seen, now, stay.session)
  else
    redis.call('ZADD', KEY.place_ends, math.min(stay.ends, now + grace), stay.session)
  end
end

local function set_admission_end(stay)
  if not stay.is_claim then
    redis.call('ZADD', KEY.admitted, present and stay.deadline or math.min(stay.ends, now + grace), stay.session)
  elseif present then
    local deadline = now + lifetime
    redis.call('ZADD', KEY.admitted, deadline, stay.session)
    redis.call('HSET', KEY.admissions, stay.session, admission_text(false, deadline))
    tell({ 'admitted', { stay.session, deadline } })
  end
end

for _, session in ipairs(sessions) do
  local stay = live_stay_of(session, now)
  if stay and stay.kind == 'waiting' then
    set_place_end(stay)
  elseif stay then
    set_admission_end(stay)
  end
end
commit()
return 1
