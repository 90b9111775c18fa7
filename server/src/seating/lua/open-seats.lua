-- Purpose: sets a show's seats up from what the database and the payment log know, where Redis has no history of
--   them; with one, changes nothing. Tokens go on above those that are known, and above the clock in milliseconds,
--   which outruns the tokens of any earlier history: no show sees a thousand holds a second over its whole on-sale.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkpoint sections
-- ARGV: {given instant, new epoch, seat count, section count, hold lifetime ms, extensions, {{seat, session}…} sold,
--   {{session, token, order id, idempotency key, {seat…}, {price…}, amount, begun at, keep until}…} checkouts},
--   section of each seat as 16-bit little-endian numbers
-- Reply: 1 if it was set up, 0 if it had a history.
-- include: hold-book.lua
-- include: begin-history.lua

if epoch then return 0 end
local given, new_epoch, seat_count, section_count, lifetime, extensions, sold, checkouts =
  unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)

redis.call('DEL', KEY.seats, KEY.seat_holds, KEY.buyers, KEY.bought, KEY.hold_owners, KEY.hold_deadlines)
redis.call('SET', KEY.seats, string.rep('\0', seat_count))
redis.call('SET', KEY.sections, ARGV[2])
epoch, fence, fed = string.format('%.0f', new_epoch), now, 0

local function status_of(seat)
  return statuses[seat] or AVAILABLE
end

for _, one in ipairs(sold) do
  local seat, session = one[1], one[2]
  if status_of(seat) ~= SOLD then
    set_status(seat, SOLD)
    bought[session] = (bought[session] or 0) + 1
  end
end

local function can_restore(session, seats, keep_until)
  -- Two at once can only be a checkout that was abandoned though the log had it, and the one after it. Neither is
  -- lost: the database decides both. But a buyer has one hold.
  if keep_until <= now or holds[session] then return false end
  -- A seat that is sold already was settled before the log knew; nothing of that hold is left to keep.
  for _, seat in ipairs(seats) do
    if status_of(seat) ~= AVAILABLE then return false end
  end
  return true
end

for _, one in ipairs(checkouts) do
  local session, token, order, key, seats, prices, amount, begun_at, keep_until = unpack(one)
  fence = math.max(fence, token)
  if can_restore(session, seats, keep_until) then
    local hold = add_hold(token, session, keep_until, extensions)
    for index, seat in ipairs(seats) do give_seat(hold, seat, prices[index]) end
    hold.checkout = { order, amount, lifetime, begun_at }
    hold.keys = { { key, order, amount, lifetime, begun_at } }
  end
end

commit()
redis.call('HSET', KEY.meta, 'fence', string.format('%.0f', fence))
begin_history(epoch, redis.call('GET', KEY.seats), section_count)
return 1
