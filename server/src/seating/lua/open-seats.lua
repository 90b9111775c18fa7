-- Purpose: sets a show's seats up from what the database and the payment log know, where Redis has no history of
--   them, or not the whole of it (history.lua); else changes nothing. They alone say what is sold, to whom, and what is
--   being paid for [P1, P2]; holds that Redis knows go on with what this leaves them. Tokens go on above those that were
--   handed out in any earlier history.
-- KEYS: meta seats holds bought hold-deadlines feed unsettled unsettled-due rested-seats networks checkpoint buyers hold-owners seat-holds seat-notes checkouts checkouts-due sections
-- ARGV: {given instant, epoch that the caller knows (0: none), random number for another one, seat count,
--   section count, hold lifetime ms, extensions, ms until a checkout should be settled, {{seat, session}…} sold,
--   {{session, token, order id, idempotency key, {seat…}, {price…}, amount, begun at, keep until}…} checkouts}
-- Reply: 1 if it was set up, 0 if it had a history.
-- include: hold-book.lua
-- include: hold-life.lua
-- include: ../../feed/lua/begin-history.lua

if epoch then return 0 end
local _, known_epoch, random, seat_count, section_count, lifetime, extensions, settled_ms, sold, checkouts =
  unpack(arguments)

read_holds(redis.call('HKEYS', KEY.holds))
local holds_before = holds
holds = {}

-- Checkouts stay: whoever looks after them finds out what became of each.
redis.call('DEL', KEY.seats, KEY.holds, KEY.bought, KEY.hold_deadlines, KEY.rested_seats, KEY.networks)
-- What versions before this one kept.
redis.call('DEL', KEY.buyers, KEY.hold_owners, KEY.seat_holds, KEY.seat_notes, KEY.checkouts, KEY.checkouts_due,
  KEY.sections)
redis.call('SET', KEY.seats, string.rep('\0', seat_count))
epoch = epoch_after(math.max(known_epoch, tonumber(meta[1] or 0)), random)
fence = fence_above(fence, now)

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

-- Enters a hold of before with those of its seats that nobody has by now.
local function enter_with_free_seats(before)
  local hold = new_hold(before.token, before.session, before.expires, before.extensions)
  hold.stage, hold.checkouts, hold.revision = before.stage, before.checkouts, math.max(before.revision + 1, now)
  each_seat(before, function(seat, price, taken_at, given_back, network)
    if seat < seat_count and status_of(seat) == AVAILABLE then
      give_seat(hold, seat, price, taken_at, given_back, network)
      count_held(network, 1)
    end
  end)
  if hold.stage ~= NONE then hold.amount = before.amount end
  if hold.count > 0 then keep(hold) end
end

for _, one in ipairs(checkouts) do
  local session, token, order, key, seats, prices, amount, begun_at, keep_until = unpack(one)
  fence = math.max(fence, token)
  if can_restore(session, seats, keep_until) then
    local before = holds_before[session]
    if is_paying(before, order) then
      before.stage = ACCEPTED
      enter_with_free_seats(before)
    else
      local hold = new_hold(token, session, keep_until, extensions)
      for index, seat in ipairs(seats) do give_seat(hold, seat, prices[index], -1, 0, '') end
      hold.stage, hold.amount, hold.revision = ACCEPTED, amount, now
      hold.checkouts = pack_checkout(amount, lifetime, begun_at, key, order)
      keep(hold)
    end
    local hold = holds[session]
    if hold then remember(hold, paying(hold), now + settled_ms) end
  end
end
for session, hold in pairs(holds_before) do
  if hold and not holds[session] then enter_with_free_seats(hold) end
end

commit()
redis.call('HSET', KEY.meta, 'fence', string.format('%.0f', fence))
begin_history(epoch, redis.call('GET', KEY.seats), section_count)
return 1
