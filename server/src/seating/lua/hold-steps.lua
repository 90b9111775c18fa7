-- Purpose: what buyers do with their holds in one turn of a node's event loop, in order, each step for itself.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkouts checkouts-due seat-notes networks
-- ARGV: {given instant, {step…}}, each step {kind, session, token, …}, but 'accept' {kind, session, order id, …}:
--   'extend', …, hold lifetime ms: moves the deadline to one lifetime from now
--   'release', …, {seat…}: gives seats back, all where none is named; the hold lives on with the rest, or ends
--   'checkout', …, idempotency key, amount, order id, ms to keep it, checkouts at most, ms until its request should
--     be in the payment log: freezes the hold, once per key, and moves its deadline past the payment's [P2]
--   'accept', …, ms until it should be settled: the payment log has the request
-- Reply: nil without a history; else packed {answer…}, each {refusal, seats, detail} or {0, value}: of 'extend' the
--   hold, of 'release' {'hold', hold} or {'released', seats}, of 'checkout' {hold, order id,
--   instant it was frozen, repeated, whether the payment log has it}; of 'accept' true.
-- include: hold-book.lua

if not epoch then return false end
local _, steps = unpack(arguments)
local answer_to, is_remembered = {}, {}

-- The caller's live hold with this token, or the refusal that tells why it is not.
local function own_hold(session, token)
  local hold = live(hold_with(session, token), now)
  if not hold then return nil, REFUSED.hold_ended end
  if hold.session ~= session then return nil, REFUSED.hold_not_yours end
  return hold, nil
end

function answer_to.extend(session, token, lifetime)
  local hold, refused = own_hold(session, token)
  if not hold then return { refused, {}, '' } end
  if hold.checkout then return { REFUSED.in_checkout, {}, '' } end
  if hold.extensions == 0 then return { REFUSED.extension_limit, {}, '' } end
  hold.extensions = hold.extensions - 1
  hold.expires = now + lifetime
  return { 0, announce(hold) }
end

function answer_to.release(session, token, seats)
  local hold, refused = own_hold(session, token)
  if not hold then return { refused, {}, '' } end
  if hold.checkout then return { REFUSED.in_checkout, {}, '' } end
  local mine, foreign, given, count = {}, {}, {}, 0
  for _, seat in ipairs(hold.seats) do mine[seat] = true end
  for _, seat in ipairs(seats) do
    if not mine[seat] then
      foreign[#foreign + 1] = seat
    elseif not given[seat] then
      given[seat] = true
      count = count + 1
    end
  end
  if #foreign > 0 then return { REFUSED.seat_unknown, foreign, 'not in this hold' } end
  if #seats == 0 or count == #hold.seats then
    end_hold(hold, 'released')
    return { 0, { 'released', hold.seats, hold.revision } }
  end
  local changes = {}
  for _, seat in ipairs(seats) do
    if take_seat(hold, seat) then
      note_given_back(seat, now)
      local at = #changes
      changes[at + 1], changes[at + 2] = seat, AVAILABLE
    end
  end
  return { 0, { 'hold', announce(hold, changes) } }
end

-- When a checkout was begun. Versions before this one didn't keep that: so that its payment still ends before the hold
-- does, it is counted back from the hold's end then.
local function begun_at(hold, known, keep_ms)
  return known[5] or math.min(now, hold.expires - keep_ms)
end

-- Nobody may give up any more what is asked for once more. Says whether the payment log has the order: one that the
-- hold has outlived is settled.
local function repeat_checkout(hold, order)
  if not hold.checkout or hold.checkout[1] ~= order then return true end
  if hold.checkout[5] == NEW then
    hold.checkout[5] = REPEATED
    changed_holds[hold.session] = true
  end
  return hold.checkout[5] == ACCEPTED
end

function answer_to.checkout(session, token, key, amount, order, keep_ms, checkouts_max, handed_over_ms)
  local hold, refused = own_hold(session, token)
  if not hold then return { refused, {}, '' } end
  for _, known in ipairs(hold.keys) do
    if known[1] == key then
      if known[3] ~= amount then return { REFUSED.idempotency_mismatch, {}, '' } end
      local accepted = repeat_checkout(hold, known[2])
      return { 0, { tuple_of(hold), known[2], begun_at(hold, known, keep_ms), true, accepted } }
    end
  end
  if is_remembered[order] then return { REFUSED.idempotency_mismatch, {}, '' } end
  if hold.checkout then return { REFUSED.in_checkout, {}, '' } end
  if #hold.keys >= checkouts_max then
    return { REFUSED.limit_exceeded, {}, 'at most ' .. checkouts_max .. ' payments a hold' }
  end
  local price = amount_of(hold)
  if price ~= amount then
    return { REFUSED.amount_changed, {}, 'the seats cost ' .. string.format('%.0f', price) }
  end
  local time_left = hold.expires - now
  hold.checkout = { order, amount, time_left, now, NEW }
  hold.keys[#hold.keys + 1] = { key, order, amount, time_left, now }
  hold.expires = math.max(hold.expires, now + keep_ms)
  remember(hold, key, now + handed_over_ms)
  return { 0, { announce(hold), order, now, false, false } }
end

function answer_to.accept(session, order, settled_ms)
  if is_remembered[order] then postponed[order] = now + settled_ms end
  local hold = live(hold_of(session), now)
  if hold and hold.checkout and hold.checkout[1] == order and hold.checkout[5] ~= ACCEPTED then
    hold.checkout[5] = ACCEPTED
    announce(hold)
  end
  return { 0, true }
end

-- Where a step names its order.
local ORDER_AT = { checkout = 6, accept = 3 }

local sessions, orders, answers = {}, {}, {}
for index, step in ipairs(steps) do
  sessions[index] = step[2]
  orders[#orders + 1] = ORDER_AT[step[1]] and step[ORDER_AT[step[1]]]
end
read_holds(sessions)
if #orders > 0 then
  for index, record in ipairs(read_all('HMGET', KEY.checkouts, orders)) do is_remembered[orders[index]] = record end
end
for index, step in ipairs(steps) do answers[index] = answer_to[step[1]](unpack(step, 2)) end
commit()
return cmsgpack.pack(answers)
