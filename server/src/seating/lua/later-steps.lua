-- What buyers do with a hold that they have: extend it, give seats back, and pay. Part of take-steps.lua.
-- include: hold-life.lua

local checkouts_max, handed_over_ms, settled_ms = sunpack('<ddd', ARGV[2], other_terms)

-- The orders that are remembered already.
local is_remembered = {}

local function read_orders()
  local orders = {}
  for index = 1, step_count do
    local body = ARGV[2 * index + 2]
    local kind = byte(body)
    if kind == PAY then orders[#orders + 1] = select(6, sunpack('<BdddBc0Bc0', body))
    elseif kind == ACCEPT or kind == ABANDON then orders[#orders + 1] = select(2, sunpack('<BBc0', body)) end
  end
  for index, record in ipairs(#orders > 0 and read_all('HMGET', KEY.unsettled, orders) or {}) do
    is_remembered[orders[index]] = record
  end
end

local DONE, ENDED, CHECKED_OUT = '\0', '\0\2', '\0\3'

-- The caller's live hold with this token, or the refusal that tells why it is not.
local function own_hold(session, token, is_frozen_too)
  local hold = live(holds[session])
  if not hold or hold.token ~= token then return nil, refuse(REFUSED.hold_ended) end
  if hold.stage ~= NONE and not is_frozen_too then return nil, refuse(REFUSED.in_checkout) end
  return hold, nil
end

local function take_extend(session, body)
  local _, token = sunpack('<Bd', body)
  local hold, refused = own_hold(session, token)
  if not hold then return refused end
  if hold.extensions == 0 then return refuse(REFUSED.extension_limit) end
  hold.extensions, hold.expires = hold.extensions - 1, now + lifetime
  return HOLD .. announce(hold, '')
end

local function take_release(session, body)
  local _, token, at = sunpack('<Bd', body)
  local hold, refused = own_hold(session, token)
  if not hold then return refused end
  local mine, foreign, given, list = {}, {}, {}, {}
  each_seat(hold, function(seat) mine[seat] = true end)
  while at <= #body do
    local seat, behind = sunpack('<i4', body, at)
    if not mine[seat] then
      foreign[#foreign + 1] = seat
    elseif not given[seat] then
      given[seat] = true
      list[#list + 1] = seat
    end
    at = behind
  end
  if #foreign > 0 then return refuse(REFUSED.seat_unknown, foreign, 'not in this hold') end
  if #list == 0 or #list == hold.count then
    local told = end_hold(hold, 'released')
    return ENDED .. spack('<d', hold.revision) .. told
  end
  local changes = ''
  for _, seat in ipairs(list) do
    local found = take_seat(hold, seat)
    note_given_back(seat, session, found[4], found[2], found[3], now)
    changes = changes .. change(seat, AVAILABLE)
  end
  return HOLD .. announce(hold, changes)
end

local function checked_out(hold, checkout, is_repeated, is_accepted)
  return CHECKED_OUT .. spack('<BBdBc0', is_repeated, is_accepted, checkout.begun, #checkout.order, checkout.order)
    .. record_of(hold)
end

-- Nobody may give up any more what is asked for once more. An order that the hold has outlived is settled.
local function repeat_checkout(hold, known)
  local is_current = is_paying(hold, known.order)
  if is_current and hold.stage == NEW then
    hold.stage = REPEATED
    keep(hold)
  end
  return checked_out(hold, known, 1, (not is_current or hold.stage == ACCEPTED) and 1 or 0)
end

local function take_checkout(session, body)
  local _, token, amount, keep_ms, key, order = sunpack('<BdddBc0Bc0', body)
  local hold, refused = own_hold(session, token, true)
  if not hold then return refused end
  local before = checkouts_of(hold)
  for _, known in ipairs(before) do
    if known.key == key then
      if known.amount ~= amount then return refuse(REFUSED.idempotency_mismatch) end
      return repeat_checkout(hold, known)
    end
  end
  if is_remembered[order] or remembered[order] then return refuse(REFUSED.idempotency_mismatch) end
  if hold.stage ~= NONE then return refuse(REFUSED.in_checkout) end
  if #before >= checkouts_max then
    return refuse(REFUSED.limit_exceeded, nil, 'at most ' .. checkouts_max .. ' payments a hold')
  end
  if hold.amount ~= amount then
    return refuse(REFUSED.amount_changed, nil, 'the seats cost ' .. text_of(hold.amount))
  end
  hold.checkouts = hold.checkouts .. pack_checkout(amount, hold.expires - now, now, key, order)
  hold.stage, hold.expires = NEW, math.max(hold.expires, now + keep_ms)
  local checkout = paying(hold)
  remember(hold, checkout, now + handed_over_ms)
  announce(hold, '')
  return checked_out(hold, checkout, 0, 0)
end

local function take_accept(session, body)
  local _, order = sunpack('<BBc0', body)
  if is_remembered[order] or remembered[order] then postponed[order] = now + settled_ms end
  local hold = live(holds[session])
  if is_paying(hold, order) and hold.stage ~= ACCEPTED then
    hold.stage = ACCEPTED
    announce(hold, '')
  end
  return DONE
end

-- Not where anybody else may have handed the request over.
local function take_abandon(session, body)
  local _, order = sunpack('<BBc0', body)
  local hold = live(holds[session])
  if is_paying(hold, order) and hold.stage == NEW then
    local checkout = paying(hold)
    forget(order)
    is_remembered[order] = nil
    thaw(hold)
    hold.checkouts = hold.checkouts:sub(1, checkout.from - 1)
    announce(hold, '')
  end
  return DONE
end

later = {
  [EXTEND] = take_extend, [RELEASE] = take_release, [PAY] = take_checkout, [ACCEPT] = take_accept,
  [ABANDON] = take_abandon,
}
