-- Purpose: applies what the database decided about orders; applying it again changes nothing [P1, P2].
-- KEYS: meta seats holds bought hold-deadlines feed unsettled unsettled-due rested-seats networks
-- ARGV: {given instant, {{'sold' | 'returned' | 'voided', session, token, order id, {seat…}, order as JSON}…}}
-- Reply: nil without a history, else 1.
-- Calls: 3 reads and 8 writes for a whole batch of sold ones, and a write for each buyer; more where a hold is gone.
-- include: hold-book.lua
-- include: hold-life.lua
-- include: sell-seats.lua

if not epoch then return false end
local _, settlements = unpack(arguments)

-- The hold that an order is paying for, unless it is gone or has moved on to another order.
local function paying_hold(session, token, order)
  local hold = hold_of(session)
  return hold and hold.token == token and is_paying(hold, order) and hold or nil
end

local function notice_of(session, json)
  return spack('<Bc0', #session, session) .. json
end

local function give_back(kind, session, token, order, json)
  tell('', NOTICE_ORDER, notice_of(session, json))
  local hold = live(paying_hold(session, token, order))
  if not hold then return end
  if kind == 'voided' then
    end_hold(hold, 'lost')
    return
  end
  thaw(hold)
  announce(hold, '')
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
  forget(order)
  if kind == 'sold' then
    sell_seats(session, seats, paying_hold(session, token, order), notice_of(session, json))
  else
    give_back(kind, session, token, order, json)
  end
end
commit()
return 1
