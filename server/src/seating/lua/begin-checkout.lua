-- Purpose: freezes a hold for payment, once per idempotency key, and moves its deadline past the payment's [P2].
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed
-- ARGV: {now, session, token, idempotency key, amount, order id, keep until, checkouts at most}
-- Reply: nil without a history; else packed {0, {hold, order id, repeated}} or {refusal, {}, detail}.
-- include: hold-book.lua

if not epoch then return false end
local now, session, token, key, amount, order, keep_until, checkouts_max = unpack(cmsgpack.unpack(ARGV[1]))

local function decide()
  local hold, refused = own_hold(session, token, now)
  if not hold then return { refused, {}, '' } end
  for _, known in ipairs(hold.keys) do
    if known[1] == key then
      if known[3] ~= amount then return { REFUSED.idempotency_mismatch, {}, '' } end
      return { 0, { tuple_of(hold), known[2], true } }
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
  hold.checkout = { order, amount, time_left }
  hold.keys[#hold.keys + 1] = { key, order, amount, time_left }
  hold.expires = math.max(hold.expires, keep_until)
  changed_holds[session] = true
  announce(hold)
  return { 0, { tuple_of(hold), order, false } }
end

local outcome = decide()
commit()
return cmsgpack.pack(outcome)
