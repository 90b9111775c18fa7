-- Purpose: lets in as many from the head as the token bucket and the cap allow; any number of nodes may call it and
--   together never admit more [A2]. Places that ran out are passed over and cost no admission.
-- KEYS: meta feed room waiting place-ends seen admitted admissions outside place-networks network-places restored
-- ARGV: {given instant or false, opens at, admissions per second, burst, admitted at most, admission lifetime ms, claim ms,
--   presence ms, restoring ms}
-- Reply: how many were let in.
-- include: waiting-book.lua

local given, opens_at, per_second, burst, admitted_max, lifetime, claim_lifetime, presence, restoring =
  unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)
is_draw_closed(now, opens_at)
if now < opens_at then return 0 end

-- Who comes back to a room that was lost is let in when the others had the time to come back, too.
local restoring_since = tonumber(redis.call('HGET', KEY.room, 'restoring-since') or -restoring)
if now >= restoring_since and now < restoring_since + restoring then return 0 end

-- Adding up tenths gives 0.999…; this much short of a whole token counts as one, and is owed by the next.
local ROUNDING = 1e-9
local HEADS_PER_TURN = 1000

-- A bucket that was filled in the future, before the clock was set back, counts as filled now.
local bucket = redis.call('HMGET', KEY.room, 'tokens', 'filled-at')
local filled_at = tonumber(bucket[2]) or opens_at
local elapsed = math.max(0, now - filled_at)
local tokens = math.min(burst, (tonumber(bucket[1]) or burst) + elapsed * per_second / 1000)
local allowed = math.min(math.max(0, math.floor(tokens + ROUNDING)),
  admitted_max - redis.call('ZCOUNT', KEY.admitted, after(now), '+inf'))

local told, count = {}, 0

local function admit_heads(heads)
  local ends = redis.call('ZMSCORE', KEY.place_ends, unpack(heads))
  local seen = redis.call('ZMSCORE', KEY.seen, unpack(heads))
  local scored, records, over = {}, {}, {}
  for index, session in ipairs(heads) do
    local place_ends = ends[index] and tonumber(ends[index])
    if place_ends and now >= place_ends then
      over[#over + 1] = session
    else
      -- Whose node died was never said to be absent; nobody spoke of them any more [X4].
      local is_unseen = now - (tonumber(seen[index] or 0) or 0) >= presence
      local is_claim = is_unseen or (place_ends ~= nil and place_ends ~= false)
      local deadline = now + (is_claim and math.min(claim_lifetime, lifetime) or lifetime)
      local at = #scored
      scored[at + 1], scored[at + 2] = deadline, session
      records[at + 1], records[at + 2] = session, admission_text(is_claim, deadline, now)
      told[#told + 1] = session
      told[#told + 1] = deadline
      count = count + 1
    end
  end
  redis.call('ZREM', KEY.waiting, unpack(heads))
  redis.call('ZREM', KEY.place_ends, unpack(heads))
  redis.call('ZREM', KEY.seen, unpack(heads))
  write_all('ZADD', KEY.admitted, scored)
  write_all('HSET', KEY.admissions, records)
  if #over > 0 then remember_outside(over, 'expired') end
end

while count < allowed do
  local heads = redis.call('ZRANGE', KEY.waiting, 0, math.min(HEADS_PER_TURN, allowed - count) - 1)
  if #heads == 0 then break end
  admit_heads(heads)
end
redis.call('HSET', KEY.room, 'tokens', string.format('%.17g', tokens - count), 'filled-at',
  string.format('%.17g', now))
if count > 0 then tell({ 'admitted', told }) end
commit()
return count
