-- Purpose: what buyers do with their holds in one turn of a node's event loop, in order, each step for itself.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed
-- ARGV: {given instant, {step…}}, each step {kind, session, token, …}:
--   'extend', …, hold lifetime ms: moves the deadline to one lifetime from now
--   'release', …, {seat…}: gives seats back, all where none is named; the hold lives on with the rest, or ends
--   'checkout', …, idempotency key, amount, order id, ms to keep it, checkouts at most: freezes the hold for payment,
--     once per key, and moves its deadline past the payment's [P2]
-- Reply: nil without a history; else packed {answer…}, each {refusal, seats, detail} or {0, value}: of 'extend' the
--   hold, of 'release' {'hold', hold} or {'released', seats}, of 'checkout' {hold, order id,
--   instant it was frozen, repeated}.
-- include: hold-book.lua

if not epoch then return false end
local given, steps = unpack(cmsgpack.unpack(ARGV[1]))
local now = instant(given)
local answer_to = {}

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
  changed_holds[session] = true
  announce(hold)
  return { 0, tuple_of(hold) }
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
    return { 0, { 'released', hold.seats } }
  end
  local changes = {}
  for _, seat in ipairs(seats) do
    if take_seat(hold, seat) then
      local at = #changes
      changes[at + 1], changes[at + 2] = seat, AVAILABLE
    end
  end
  announce(hold, changes)
  return { 0, { 'hold', tuple_of(hold) } }
end

-- When a checkout was begun. Versions before this one didn't keep that: so that its payment still ends before the hold
-- does, it is counted back from the hold's end then.
local function begun_at(hold, known, keep_ms)
  return known[5] or math.min(now, hold.expires - keep_ms)
end

function answer_to.checkout(session, token, key, amount, order, keep_ms, checkouts_max)
  local hold, refused = own_hold(session, token)
  if not hold then return { refused, {}, '' } end
  for _, known in ipairs(hold.keys) do
    if known[1] == key then
      if known[3] ~= amount then return { REFUSED.idempotency_mismatch, {}, '' } end
      return { 0, { tuple_of(hold), known[2], begun_at(hold, known, keep_ms), true } }
    end
  end
  if hold.checkout then return { REFUSED.in_checkout, {}, '' } end
  if #hold.keys >= checkouts_max then
    return { REFUSED.limit_exceeded, {}, 'at most ' .. checkouts_max .. ' payments a hold' }
  end
  local price = amount_of(hold)
  if price ~= amount then
    return { REFUSED.amount_changed, {}, 'the seats cost ' .. string.format('%.0f', price) }
  end
  local time_left = hold.expires - now
  hold.checkout = { order, amount, time_left, now }
  hold.keys[#hold.keys + 1] = { key, order, amount, time_left, now }
  hold.expires = math.max(hold.expires, now + keep_ms)
  changed_holds[session] = true
  announce(hold)
  return { 0, { tuple_of(hold), order, now, false } }
end

local sessions, answers = {}, {}
for index, step in ipairs(steps) do sessions[index] = step[2] end
read_holds(sessions)
for index, step in ipairs(steps) do answers[index] = answer_to[step[1]](unpack(step, 2)) end
commit()
return cmsgpack.pack(answers)
