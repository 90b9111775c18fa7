-- What becomes of holds once they have their seats, and what a step needs for that beside hold-book.lua: a script that
-- seldom needs it includes it in a branch.

local HEAD, HEAD_SIZE = '<ddddBBI4I4', 42
local CHECKOUT, CARE = '<dddBc0Bc0', '<dddBc0Bc0'

local bought = {}
local remembered, forgotten, postponed = {}, {}, {}

-- include: seat-notes.lua

local function change(seat, status)
  return spack('<I4', 4 * seat + status)
end

local function tell(changes, kind, notice)
  elements[#elements + 1] = pack_element(changes, kind, notice)
end

local function hold_of_record(session, record)
  local token, expires, revision, amount, extensions, stage, count, size = sunpack(HEAD, record)
  return {
    session = session, token = token, expires = expires, revision = revision, amount = amount,
    extensions = extensions, stage = stage, count = count,
    seats = record:sub(HEAD_SIZE + 1, HEAD_SIZE + size), checkouts = record:sub(HEAD_SIZE + size + 1),
  }
end

local function read_holds(sessions)
  if #sessions == 0 then return end
  for index, record in ipairs(read_all('HMGET', KEY.holds, sessions)) do
    local session = sessions[index]
    if holds[session] == nil then holds[session] = record and hold_of_record(session, record) end
  end
end

-- The session's hold, live or over; false if there is none.
local function hold_of(session)
  if holds[session] == nil then read_holds({ session }) end
  return holds[session]
end

-- Calls for each seat of a hold: seat, price, instant it was taken, times given back before, network.
function each_seat(hold, call)
  local at, packed = 1, hold.seats
  while at <= #packed do
    local seat, price, taken_at, given_back, network, behind = sunpack(SEAT, packed, at)
    call(seat, price, taken_at, given_back, network, at, behind)
    at = behind
  end
end

local function seats_of(hold)
  local seats = {}
  each_seat(hold, function(seat) seats[#seats + 1] = seat end)
  return seats
end

local function pack_seats(seats)
  local packed = {}
  for index, seat in ipairs(seats) do packed[index] = spack('<I4', seat) end
  return table.concat(packed)
end

-- Every checkout of a hold: {{amount, milliseconds left, instant, key, order, where it begins, where the next one does}…}.
local function checkouts_of(hold)
  local list, at = {}, 1
  while at <= #hold.checkouts do
    local amount, left, begun, key, order, behind = sunpack(CHECKOUT, hold.checkouts, at)
    list[#list + 1] = { amount = amount, left = left, begun = begun, key = key, order = order, from = at, behind = behind }
    at = behind
  end
  return list
end

local function pack_checkout(amount, left, begun, key, order)
  return spack(CHECKOUT, amount, left, begun, #key, key, #order, order)
end

-- The checkout under way, or nil.
local function paying(hold)
  if hold.stage == NONE then return nil end
  local list = checkouts_of(hold)
  return list[#list]
end

local function is_paying(hold, order)
  local checkout = hold and paying(hold)
  return checkout and checkout.order == order
end

local function keep(hold)
  holds[hold.session] = hold
  changed_holds[hold.session] = record_of(hold)
end

-- Takes a seat out of a hold that has it; says whether it did, and who took it when.
local function take_seat(hold, wanted)
  local found
  each_seat(hold, function(seat, price, taken_at, given_back, network, from, behind)
    if seat == wanted then found = { price, taken_at, given_back, network, from, behind } end
  end)
  if not found then return nil end
  hold.seats = hold.seats:sub(1, found[5] - 1) .. hold.seats:sub(found[6])
  hold.count = hold.count - 1
  if hold.stage == NONE then hold.amount = hold.amount - found[1] end
  set_status(wanted, AVAILABLE)
  return found
end

-- Ends a hold; what it still has is on sale again. `told`: the seats that its buyer is told of, 32 bits each.
local function end_hold(hold, reason, told)
  local changes, seats, session = {}, {}, hold.session
  local is_given_back = reason == 'released' or reason == 'expired'
  each_seat(hold, function(seat, _, taken_at, given_back, network)
    seats[#seats + 1], changes[#changes + 1] = spack('<I4', seat), change(seat, AVAILABLE)
    set_status(seat, AVAILABLE)
    if is_given_back then
      note_given_back(seat, session, network, taken_at, given_back, reason == 'expired' and hold.expires or now)
    else
      count_held(network, -1)
    end
  end)
  revise(hold)
  holds[session], changed_holds[session] = false, false
  told = told or table.concat(seats)
  tell(table.concat(changes), NOTICE_ENDED,
    spack('<ddBc0Bc0', hold.token, hold.revision, #reason, reason, #session, session) .. told)
  return told
end

-- The hold if its time has not run out; one past its deadline is ended in passing: it counts as gone [P3].
function live(hold)
  if not hold or hold.expires > now then return hold end
  end_hold(hold, 'expired')
  return nil
end

-- Ends the holds of these sessions that have run out.
local function end_due(due)
  read_holds(due)
  for _, session in ipairs(due) do live(holds[session]) end
end

-- By seat the session of the hold that has it, live or over: of all holds, or of those that ran out before an instant.
-- Only where the database gave somebody else's seats away, or more ran out at once than is swept in passing.
local function holders(before)
  local sessions, by_seat = nil, {}
  if before then sessions = redis.call('ZRANGEBYSCORE', KEY.hold_deadlines, '-inf', text_of(before))
  else sessions = redis.call('HKEYS', KEY.holds) end
  read_holds(sessions)
  for session, hold in pairs(holds) do
    if hold then each_seat(hold, function(seat) by_seat[seat] = session end) end
  end
  return by_seat
end

-- Remembers what a hold's checkout asks the payment log for, until it is settled. A key has one order: begun anew in the
-- step that gave it up, it is not forgotten any more.
local function remember(hold, checkout, due)
  local key, order, session = checkout.key, checkout.order, hold.session
  remembered[order] = spack(CARE, hold.token, checkout.amount, checkout.begun, #session, session, #key, key)
    .. pack_seats(seats_of(hold))
  postponed[order], forgotten[order] = due, nil
end

local function forget(order)
  remembered[order], postponed[order], forgotten[order] = nil, nil, true
end

-- Unfreezes a hold: the buyer has the time again that was left when payment began.
local function thaw(hold)
  hold.expires, hold.stage, hold.amount = now + paying(hold).left, NONE, 0
  each_seat(hold, function(_, price) hold.amount = hold.amount + price end)
end

local function commit_ends()
  local gone = {}
  for session, record in pairs(changed_holds) do
    if not record then gone[#gone + 1] = session end
  end
  write_all('HDEL', KEY.holds, gone)
  write_all('ZREM', KEY.hold_deadlines, gone)
end

local function commit_checkouts()
  local records, due, gone = {}, {}, {}
  for order, record in pairs(remembered) do
    records[#records + 1] = order
    records[#records + 1] = record
  end
  for order, instant_due in pairs(postponed) do
    due[#due + 1] = text_of(instant_due)
    due[#due + 1] = order
  end
  for order in pairs(forgotten) do gone[#gone + 1] = order end
  write_all('HSET', KEY.unsettled, records)
  write_all('ZADD', KEY.unsettled_due, due)
  write_all('HDEL', KEY.unsettled, gone)
  write_all('ZREM', KEY.unsettled_due, gone)
end

function commit_life()
  commit_ends()
  commit_checkouts()
  commit_notes()
  for session, count in pairs(bought) do redis.call('HINCRBY', KEY.bought, session, text_of(count)) end
end
