-- include: ../../platform/lua/store-time.lua
-- include: write-feed.lua
-- include: history.lua
-- The books of one step. Holds, statuses and admissions are read when they are first needed, or all at once where a
-- step knows what it needs; decisions change the books only; `commit` writes everything in a fixed number of calls,
-- however many holds changed. A step that fails before `commit` has changed nothing.
--
-- A hold in the books: { session, token, expires, extensions, seats, prices, checkout, keys, revision }.
--   checkout: false, or {order id, amount, milliseconds left when it was frozen, instant of that, stage}
--   keys: every checkout of the hold, ended ones included: {{idempotency key, order id, amount, milliseconds left,
--     instant}}

-- A checkout without an outcome is remembered whatever becomes of its hold:
--   checkouts: order id → {session, token, idempotency key, {seat…}, amount, instant it was begun}
--   checkouts-due: order ids by the instant at which somebody has to look after them

local AVAILABLE, HELD, SOLD = 0, 1, 2

-- How far a payment request is on its way to the payment log; never goes back. Only what is NEW may be given up: it
-- was handed over by one node, which knows that it was refused.
local NEW, REPEATED, ACCEPTED = 0, 1, 2

-- Lua passes at most some 8,000 values to a function. A multiple of 2, 3 and 4: no group is cut.
local SLICE = 6000

local arguments = cmsgpack.unpack(ARGV[1])
local now = instant(arguments[1])
local meta = redis.call('HMGET', KEY.meta, 'epoch', 'fence', 'fed', 'replication', 'seats')
local fence, fed = tonumber(meta[2]), tonumber(meta[3])
-- False where nothing may be decided: there is no history, or not the whole of it.
local epoch = meta[1] and is_whole(meta[4], meta[5]) and meta[1]

local holds, changed_holds = {}, {}
local statuses, changed_seats = {}, {}
local owners, taken_by = {}, {}
local bought = {}
local remembered, forgotten, postponed = {}, {}, {}
local elements = {}

-- Redis writes a number that is an argument with 17 significant digits, which is slow; whole numbers as text, made
-- once for each, are a fifth of a hold's time.
local STATUS_TEXTS = { [0] = '0', '1', '2', '3' }
local texts, places = {}, {}

local function text_of(number)
  local text = texts[number]
  if not text then
    text = string.format('%d', number)
    texts[number] = text
  end
  return text
end

-- A seat's place in a string of one number a seat.
local function place_of(seat)
  local place = places[seat]
  if not place then
    place = string.format('#%d', seat)
    places[seat] = place
  end
  return place
end

local function write_all(command, key, values)
  for from = 1, #values, SLICE do
    redis.call(command, key, unpack(values, from, math.min(from + SLICE - 1, #values)))
  end
end

local function read_all(command, key, values)
  if #values <= SLICE then return redis.call(command, key, unpack(values)) end
  local answers = {}
  for from = 1, #values, SLICE do
    local part = redis.call(command, key, unpack(values, from, math.min(from + SLICE - 1, #values)))
    for _, answer in ipairs(part) do answers[#answers + 1] = answer end
  end
  return answers
end

-- include: seat-notes.lua

local function keep_hold(session, packed)
  if not packed then
    holds[session] = false
    return
  end
  local record = cmsgpack.unpack(packed)
  holds[session] = {
    session = session, token = record[1], expires = record[2], extensions = record[3], seats = record[4],
    prices = record[5], checkout = record[6], keys = record[7], revision = record[8] or 0,
  }
  -- Versions before this one told of an order as soon as its hold was frozen.
  local checkout = holds[session].checkout
  if checkout and not checkout[5] then checkout[5] = ACCEPTED end
end

local function pack_hold(hold)
  return cmsgpack.pack({
    hold.token, hold.expires, hold.extensions, hold.seats, hold.prices, hold.checkout, hold.keys,
    hold.revision,
  })
end

local function read_holds(sessions)
  if #sessions == 0 then return end
  local packed = read_all('HMGET', KEY.buyers, sessions)
  for index, session in ipairs(sessions) do
    if holds[session] == nil then keep_hold(session, packed[index]) end
  end
end

-- The session's hold, live or over; false if there is none.
local function hold_of(session)
  if holds[session] == nil then keep_hold(session, redis.call('HGET', KEY.buyers, session)) end
  return holds[session]
end

-- The hold with this token, live or over; nil if there is none.
local function hold_of_token(token)
  local session = owners[token]
  if session == nil then session = redis.call('HGET', KEY.hold_owners, text_of(token)) end
  local hold = session and hold_of(session)
  if hold and hold.token == token then return hold end
  return nil
end

-- The same, looked for first at the session that should have it.
local function hold_with(session, token)
  local hold = hold_of(session)
  if hold and hold.token == token then return hold end
  return hold_of_token(token)
end

local function read_statuses(seats)
  local asked, unknown = {}, {}
  for _, seat in ipairs(seats) do
    if statuses[seat] == nil then
      unknown[#unknown + 1] = seat
      local at = #asked
      asked[at + 1], asked[at + 2], asked[at + 3] = 'GET', 'u8', place_of(seat)
    end
  end
  if #asked == 0 then return end
  if #asked <= SLICE then
    for index, status in ipairs(redis.call('BITFIELD', KEY.seats, unpack(asked))) do
      statuses[unknown[index]] = status
    end
  else
    for index, status in ipairs(read_all('BITFIELD', KEY.seats, asked)) do statuses[unknown[index]] = status end
  end
end

local function set_status(seat, status)
  statuses[seat] = status
  changed_seats[seat] = true
end

local function tell(changes, notice)
  elements[#elements + 1] = { changes, notice }
end

local function copy_of(list)
  local copy = {}
  for index = 1, #list do copy[index] = list[index] end
  return copy
end

local function amount_of(hold)
  if hold.checkout then return hold.checkout[2] end
  local amount = 0
  for _, price in ipairs(hold.prices) do amount = amount + price end
  return amount
end

-- The hold as it stands now, for replies and notices: {token, seats, amount, expires, extensions, order id,
-- instant it was frozen, whether the payment log has the order, revision}.
local function tuple_of(hold)
  local order, _, _, begun, stage = unpack(hold.checkout or {})
  return {
    hold.token, copy_of(hold.seats), amount_of(hold), hold.expires, hold.extensions, order or false, begun or 0,
    stage == ACCEPTED, hold.revision,
  }
end

-- The time is part of it so that a restored hold, whose revision is lost, goes on above it.
local function revise(hold)
  hold.revision = math.max(hold.revision + 1, now)
  changed_holds[hold.session] = true
end

-- Tells of a hold that changed, and returns it as it was told.
local function announce(hold, changes)
  revise(hold)
  local tuple = tuple_of(hold)
  tell(changes or {}, { 'hold', hold.session, tuple })
  return tuple
end

local function enter_hold(hold)
  holds[hold.session] = hold
  changed_holds[hold.session] = true
  owners[hold.token] = hold.session
  return hold
end

local function add_hold(token, session, expires, extensions)
  return enter_hold({
    session = session, token = token, expires = expires, extensions = extensions, seats = {}, prices = {},
    checkout = false, keys = {}, revision = 0,
  })
end

local function begin_hold(session, expires, extensions)
  fence = fence + 1
  return add_hold(fence, session, expires, extensions)
end

local function give_seat(hold, seat, price)
  local at = #hold.seats + 1
  hold.seats[at], hold.prices[at] = seat, price
  taken_by[seat] = hold.token
  set_status(seat, HELD)
end

-- Takes a seat out of a hold that has it; says whether it did.
local function take_seat(hold, seat)
  for index, one in ipairs(hold.seats) do
    if one == seat then
      table.remove(hold.seats, index)
      table.remove(hold.prices, index)
      changed_holds[hold.session] = true
      set_status(seat, AVAILABLE)
      return true
    end
  end
  return false
end

-- Ends a hold; what it still has is on sale again. `told`: the seats that its buyer is told of.
local function end_hold(hold, reason, told)
  local changes = {}
  local close_note = (reason == 'released' or reason == 'expired') and note_given_back or drop_note
  for _, seat in ipairs(hold.seats) do
    local at = #changes
    changes[at + 1], changes[at + 2] = seat, AVAILABLE
    set_status(seat, AVAILABLE)
    close_note(seat, reason == 'expired' and hold.expires or now)
  end
  revise(hold)
  holds[hold.session] = false
  owners[hold.token] = false
  tell(changes, { 'hold-ended', hold.session, hold.token, told or hold.seats, reason, hold.revision })
end

-- The hold if its time has not run out; one past its deadline is ended in passing: it counts as gone [P3].
local function live(hold, now)
  if not hold or hold.expires > now then return hold end
  end_hold(hold, 'expired')
  return nil
end

-- Ends holds that ran out, the oldest first, at most `most`, and returns how many.
local function sweep(now, most)
  local due = redis.call('ZRANGEBYSCORE', KEY.hold_deadlines, '-inf', now, 'LIMIT', 0, most)
  read_holds(due)
  local seats = {}
  for _, session in ipairs(due) do
    for _, seat in ipairs(holds[session] and holds[session].seats or {}) do seats[#seats + 1] = seat end
  end
  read_notes(seats)
  local count = 0
  for _, session in ipairs(due) do
    local hold = holds[session]
    if hold and hold.expires <= now then
      end_hold(hold, 'expired')
      count = count + 1
    end
  end
  return count
end

-- The hold that has a seat whose status is HELD, live or over.
local function holder_of(seat)
  local token = taken_by[seat] or redis.call('BITFIELD', KEY.seat_holds, 'GET', 'i64', place_of(seat))[1]
  return hold_of_token(token)
end

-- Remembers what a hold's checkout asks the payment log for, until it is settled.
local function remember(hold, key, due)
  local order, amount, _, begun = unpack(hold.checkout)
  remembered[order] = { hold.session, hold.token, key, copy_of(hold.seats), amount, begun }
  postponed[order] = due
end

local function forget(order)
  remembered[order], postponed[order], forgotten[order] = nil, nil, true
end

-- Unfreezes a hold: the buyer has the time again that was left when payment began.
local function thaw(hold, now)
  hold.expires = now + hold.checkout[3]
  hold.checkout = false
  changed_holds[hold.session] = true
end

local function commit_seats()
  local status_writes, holder_writes = {}, {}
  for seat in pairs(changed_seats) do
    local at, place, status = #status_writes, place_of(seat), statuses[seat]
    status_writes[at + 1], status_writes[at + 2] = 'SET', 'u8'
    status_writes[at + 3], status_writes[at + 4] = place, STATUS_TEXTS[status]
    if status == HELD and taken_by[seat] then
      at = #holder_writes
      holder_writes[at + 1], holder_writes[at + 2] = 'SET', 'i64'
      holder_writes[at + 3], holder_writes[at + 4] = place, text_of(taken_by[seat])
    end
  end
  write_all('BITFIELD', KEY.seats, status_writes)
  write_all('BITFIELD', KEY.seat_holds, holder_writes)
end

local function commit_holds()
  local live_holds, deadlines, gone = {}, {}, {}
  for session in pairs(changed_holds) do
    local hold = holds[session]
    if hold then
      local at = #live_holds
      live_holds[at + 1], live_holds[at + 2] = session, pack_hold(hold)
      deadlines[at + 1], deadlines[at + 2] = text_of(hold.expires), session
    else
      gone[#gone + 1] = session
    end
  end
  write_all('HSET', KEY.buyers, live_holds)
  write_all('ZADD', KEY.hold_deadlines, deadlines)
  write_all('HDEL', KEY.buyers, gone)
  write_all('ZREM', KEY.hold_deadlines, gone)
  local owned, ended = {}, {}
  for token, session in pairs(owners) do
    if session then
      local at = #owned
      owned[at + 1], owned[at + 2] = text_of(token), session
    else
      ended[#ended + 1] = text_of(token)
    end
  end
  write_all('HSET', KEY.hold_owners, owned)
  write_all('HDEL', KEY.hold_owners, ended)
end

local function commit_checkouts()
  local records, due, gone = {}, {}, {}
  for order, record in pairs(remembered) do
    local at = #records
    records[at + 1], records[at + 2] = order, cmsgpack.pack(record)
  end
  for order, instant_due in pairs(postponed) do
    local at = #due
    due[at + 1], due[at + 2] = text_of(instant_due), order
  end
  for order in pairs(forgotten) do gone[#gone + 1] = order end
  write_all('HSET', KEY.checkouts, records)
  write_all('ZADD', KEY.checkouts_due, due)
  write_all('HDEL', KEY.checkouts, gone)
  write_all('ZREM', KEY.checkouts_due, gone)
end

-- Writes what changed, and its feed entry.
local function commit()
  commit_seats()
  commit_holds()
  commit_checkouts()
  commit_notes()
  for session, count in pairs(bought) do redis.call('HINCRBY', KEY.bought, session, count) end
  if #elements == 0 then return end
  fed = fed + 1
  redis.call('HSET', KEY.meta, 'fence', text_of(fence), 'fed', text_of(fed))
  append_entry(epoch, fed, elements)
end
