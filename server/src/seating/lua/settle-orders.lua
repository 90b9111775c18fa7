-- Purpose: applies what the database decided about orders; applying it again changes nothing [P1, P2].
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed
-- ARGV: {given instant, {{'sold' | 'returned' | 'voided', session, token, order id, {seat…}, order as JSON}…}}
-- Reply: nil without a history, else 1.
-- Calls: 3 reads and 6 writes for a whole batch of sold ones, and a write for each buyer; more where a hold is gone.
-- include: hold-book.lua

if not epoch then return false end
local given, settlements = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)

-- The hold that an order is paying for, unless it is gone or has moved on to another order.
local function paying_hold(session, token, order)
  local hold = hold_with(session, token)
  if hold and hold.checkout and hold.checkout[1] == order then return hold end
  return nil
end

-- Goes on with a hold some of whose seats the database gave to an order that it was not frozen for.
local function take_loss(hold, lost, buyer)
  if hold.expires <= now then
    for _, seat in ipairs(hold.seats) do lost[#lost + 1] = seat end
    end_hold(hold, 'expired', lost)
  elseif #hold.seats > 0 then
    announce(hold)
  else
    end_hold(hold, hold.session == buyer and 'sold' or 'lost', lost)
  end
end

-- The seats are the buyer's whoever holds them: the database is the arbiter.
local function sell(session, token, order, seats, json)
  local paying = paying_hold(session, token, order)
  local changes, losers, losses, paid = {}, {}, {}, {}
  for _, seat in ipairs(paying and paying.seats or {}) do paid[seat] = true end
  for _, seat in ipairs(seats) do
    if statuses[seat] ~= SOLD then
      local holder = statuses[seat] == HELD and (paid[seat] and paying or holder_of(seat))
      if holder and take_seat(holder, seat) and holder ~= paying then
        if not losses[holder] then
          losers[#losers + 1], losses[holder] = holder, {}
        end
        table.insert(losses[holder], seat)
      end
      set_status(seat, SOLD)
      bought[session] = (bought[session] or 0) + 1
      local at = #changes
      changes[at + 1], changes[at + 2] = seat, SOLD
    end
  end
  tell(changes, { 'order', session, json })
  if paying then end_hold(paying, 'sold', seats) end
  for _, hold in ipairs(losers) do take_loss(hold, losses[hold], session) end
end

local function give_back(kind, session, token, order, json)
  tell({}, { 'order', session, json })
  local hold = live(paying_hold(session, token, order), now)
  if not hold then return end
  if kind == 'voided' then
    end_hold(hold, 'lost')
    return
  end
  thaw(hold, now)
  announce(hold)
end

local sessions, sold_seats = {}, {}
for index, settlement in ipairs(settlements) do
  sessions[index] = settlement[2]
  if settlement[1] == 'sold' then
    for _, seat in ipairs(settlement[5]) do sold_seats[#sold_seats + 1] = seat end
  end
end
read_holds(sessions)
read_statuses(sold_seats)
for _, settlement in ipairs(settlements) do
  local kind, session, token, order, seats, json = unpack(settlement)
  if kind == 'sold' then
    sell(session, token, order, seats, json)
  else
    give_back(kind, session, token, order, json)
  end
end
commit()
return 1
