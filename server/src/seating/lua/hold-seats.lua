-- Purpose: decides the hold requests of one turn of a gateway's event loop, in order, each all-or-nothing [P1].
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkouts checkouts-due seat-notes networks admitted
-- ARGV: {given instant, seat count, seats per buyer, seats per network, hold lifetime ms, extensions,
--   {{session, network or false, {seat…}, {price…}}…}}
-- Reply: nil without a history; else packed {outcome…}, each {0, hold} or {refusal, seats, detail, retry after ms}.
-- Calls: 8 reads and 8 writes for the whole batch; 1 read and up to 4 writes more where holds ran out.
-- include: hold-book.lua

if not epoch then return false end
local _, seat_count, seats_per_buyer, seats_per_network, lifetime, extensions, requests = unpack(arguments)

-- What a batch sweeps at most: a pile of holds that ran out together must not keep everybody waiting.
local SWEPT_MAX = 500

-- First, so that a seat of a hold that ran out is simply available.
local is_swept = sweep(now, SWEPT_MAX) < SWEPT_MAX

local sessions, wanted_seats, networks = {}, {}, {}
for index, request in ipairs(requests) do
  sessions[index] = request[1]
  if request[2] then networks[#networks + 1] = request[2] end
  for _, seat in ipairs(request[3]) do
    if seat >= 0 and seat < seat_count then wanted_seats[#wanted_seats + 1] = seat end
  end
end
local admitted_until = read_all('ZMSCORE', KEY.admitted, sessions)
local bought_before = read_all('HMGET', KEY.bought, sessions)
read_holds(sessions)
read_statuses(wanted_seats)
read_notes(wanted_seats)
local held_before = {}
for index, count in ipairs(#networks > 0 and read_all('HMGET', KEY.networks, networks) or {}) do
  held_before[networks[index]] = tonumber(count)
end
if not is_swept then
  for _, seat in ipairs(wanted_seats) do
    if statuses[seat] == HELD then live(holder_of(seat), now) end
  end
end

local function unknown_of(seats)
  local unknown = {}
  for _, seat in ipairs(seats) do
    if seat < 0 or seat >= seat_count then unknown[#unknown + 1] = seat end
  end
  return unknown
end

-- The seats asked for that the hold does not have, each once, and their prices.
local function wanted_of(hold, seats, prices)
  local known, wanted, wanted_prices = {}, {}, {}
  for _, seat in ipairs(hold and hold.seats or {}) do known[seat] = true end
  for index, seat in ipairs(seats) do
    if not known[seat] then
      known[seat] = true
      wanted[#wanted + 1], wanted_prices[#wanted + 1] = seat, prices[index]
    end
  end
  return wanted, wanted_prices
end

-- Why seats that are free are not for this buyer; nil if they are.
local function hoarding_refusal(session, network, wanted)
  local resting, longest = {}, 0
  for _, seat in ipairs(wanted) do
    local rest = rest_ms(seat, session, network)
    if rest > 0 then resting[#resting + 1] = seat end
    longest = math.max(longest, rest)
  end
  if #resting > 0 then return { REFUSED.cooling_down, resting, 'given back a moment ago', longest } end
  local held = network and (held_before[network] or 0) + (held_more[network] or 0)
  if held and held + #wanted > seats_per_network then
    return { REFUSED.network_limit, {}, 'at most ' .. seats_per_network .. ' seats held from a network', COOL_DOWN_MS }
  end
  return nil
end

local function decide(index, session, network, seats, prices)
  local admission = admitted_until[index]
  if not admission or tonumber(admission) <= now then return { REFUSED.not_admitted, {}, '' } end
  local unknown = unknown_of(seats)
  if #unknown > 0 then return { REFUSED.seat_unknown, unknown, '' } end
  local hold = live(holds[session], now)
  if hold and hold.checkout then return { REFUSED.in_checkout, {}, '' } end

  local wanted, wanted_prices = wanted_of(hold, seats, prices)
  if #wanted == 0 then return { 0, tuple_of(hold) } end
  local owned = (hold and #hold.seats or 0) + (tonumber(bought_before[index]) or 0)
  if owned + #wanted > seats_per_buyer then
    return { REFUSED.limit_exceeded, {}, 'at most ' .. seats_per_buyer .. ' seats a buyer' }
  end
  local taken = {}
  for _, seat in ipairs(wanted) do
    if statuses[seat] ~= AVAILABLE then taken[#taken + 1] = seat end
  end
  if #taken > 0 then return { REFUSED.seat_taken, taken, '' } end
  local hoarding = hoarding_refusal(session, network, wanted)
  if hoarding then return hoarding end

  hold = hold or begin_hold(session, now + lifetime, extensions)
  local changes = {}
  for position, seat in ipairs(wanted) do
    give_seat(hold, seat, wanted_prices[position])
    note_taken(seat, session, network)
    changes[2 * position - 1], changes[2 * position] = seat, HELD
  end
  return { 0, announce(hold, changes) }
end

local outcomes = {}
for index, request in ipairs(requests) do outcomes[index] = decide(index, unpack(request)) end
commit()
return cmsgpack.pack(outcomes)
