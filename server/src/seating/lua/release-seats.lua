-- Purpose: gives seats of a hold back; it lives on with the rest, or ends.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed
-- ARGV: {now, session, token, {seat…}}; no seats: all of them
-- Reply: nil without a history; else packed {0, {'hold', hold}}, {0, {'released', seats}} or {refusal, seats, detail}.
-- include: hold-book.lua

if not epoch then return false end
local now, session, token, seats = unpack(cmsgpack.unpack(ARGV[1]))

local function decide()
  local hold, refused = own_hold(session, token, now)
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

local outcome = decide()
commit()
return cmsgpack.pack(outcome)
