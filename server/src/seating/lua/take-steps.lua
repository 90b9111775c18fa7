-- Purpose: decides what buyers do with seats in one turn of a node's event loop, in order, each step for itself and
--   each all-or-nothing [P1]. `seat-steps.ts` says in words what each kind does and why it is refused.
-- KEYS: meta seats holds bought hold-deadlines feed unsettled unsettled-due rested-seats networks admitted
-- ARGV: {given instant}; TERMS: seat count, seats per buyer, seats per network, hold lifetime ms, extensions, checkouts
--   of a hold at most, ms until a request should be in the payment log, ms until it should be settled; then for each
--   step its session, and a letter with what the kind needs:
--   h network, for each seat its number and price    e token    r token, seats    a, b order id
--   c token, amount, ms to keep the hold, idempotency key, order id
-- Reply: nil without a history; else for each step a text: '\0' and what it came to (a hold's record; or '\2', the
--   revision and seats of a hold that ended; or '\3' and a checkout), or REFUSAL: the refusal, retry after ms, how many
--   seats, the seats, detail.
-- Calls: 11 reads and 6 writes for a batch of holds; more where holds ran out, seats were given back or orders begun.
-- include: hold-book.lua

if not epoch then return false end

-- What a batch sweeps at most: a pile of holds that ran out together must not keep everybody waiting.
local SWEPT_MAX = '500'
local HOLD = '\0\1'
local TAKE, EXTEND, RELEASE, PAY, ACCEPT, ABANDON = 104, 101, 114, 99, 97, 98
local byte = string.byte

local seat_count, seats_per_buyer, seats_per_network, lifetime, extensions, other_terms = sunpack('<ddddd', ARGV[2])
local step_count = (#ARGV - 2) / 2

local function refuse(number, seats, detail, retry_ms)
  local packed = {}
  for index, seat in ipairs(seats or {}) do packed[index] = spack('<I4', seat) end
  return spack('<BdI4', -number, retry_ms or 0, #packed) .. table.concat(packed) .. (detail or '')
end

-- What each step needs to be read, gathered over all of them. Most calls only take free seats for buyers who have none.
local sessions, is_plain = {}, true
local networks, network_of = nil, nil
-- What the steps ask for: at which place each one begins, and by place the seat, its price, its name. Seats that there
-- are not are told apart by step.
local first, seats, prices, seat_places, seat_total, unknown = {}, {}, {}, {}, 0, nil
for index = 1, step_count do
  local session, body = ARGV[2 * index + 1], ARGV[2 * index + 2]
  sessions[index], first[index] = session, seat_total + 1
  -- Nothing is known of this session's hold yet; of a session that comes again, the step before will say.
  if holds[session] == nil then holds[session] = false else is_plain = false end
  if byte(body) == TAKE then
    local at = 3 + byte(body, 2)
    if at > 3 then
      networks, network_of = networks or {}, network_of or {}
      network_of[index] = body:sub(3, at - 1)
      networks[#networks + 1] = network_of[index]
    end
    while at <= #body do
      local seat, price, behind = sunpack('<i4d', body, at)
      if seat >= 0 and seat < seat_count then
        seat_total = seat_total + 1
        seats[seat_total], prices[seat_total], seat_places[seat_total] = seat, price, place_of(seat)
      else
        unknown = unknown or {}
        unknown[index] = unknown[index] or {}
        table.insert(unknown[index], seat)
      end
      at = behind
    end
  else
    is_plain = false
  end
end
first[step_count + 1] = seat_total + 1

local due = redis.call('ZRANGEBYSCORE', KEY.hold_deadlines, '-inf', text_of(now), 'LIMIT', '0', SWEPT_MAX)
local records = read_all('HMGET', KEY.holds, sessions)
for index = 1, step_count do is_plain = is_plain and not records[index] end
local admitted_until = read_all('ZMSCORE', KEY.admitted, sessions)
local bought_before = read_all('HMGET', KEY.bought, sessions)
if networks then read_networks(networks) end
if seat_total > 0 then
  read_statuses(seats)
  local found = read_all('HMGET', KEY.rested_seats, seat_places)
  for index = 1, seat_total do
    if found[index] then notes[seats[index]], is_plain = found[index], false end
  end
end

-- By the letter of a step.
local later = nil
if #due > 0 or not is_plain then
-- include: later-steps.lua
  for index, session in ipairs(sessions) do
    holds[session] = records[index] and hold_of_record(session, records[index])
  end
  read_orders()
  -- First, so that a seat of a hold that ran out is simply available.
  end_due(due)
  local over = nil
  for _, seat in ipairs(#due < tonumber(SWEPT_MAX) and {} or seats) do
    if statuses[seat] == HELD then
      over = over or holders(now)
      live(over[seat] and holds[over[seat]])
    end
  end
end

-- By seat, the step that asked for it last; below 0, one whose hold has it.
local asked_by = {}

local function take_hold(session, index, network)
  local admission = admitted_until[index]
  if not admission or tonumber(admission) <= now then return refuse(REFUSED.not_admitted) end
  if unknown and unknown[index] then return refuse(REFUSED.seat_unknown, unknown[index]) end
  local hold = holds[session]
  if hold then hold = live(hold) end
  if hold and hold.stage ~= NONE then return refuse(REFUSED.in_checkout) end

  -- Which of the seats asked for the hold does not have, each once.
  if hold then each_seat(hold, function(seat) asked_by[seat] = -index end) end
  local from, to, wanted, taken, resting, longest = first[index], first[index + 1] - 1, 0, nil, nil, 0
  for at = from, to do
    local seat = seats[at]
    local asked = asked_by[seat]
    if asked ~= index and asked ~= -index then
      asked_by[seat], wanted = index, wanted + 1
      if statuses[seat] ~= AVAILABLE then
        taken = taken or {}
        taken[#taken + 1] = seat
      elseif notes[seat] then
        local rest = rest_ms(seat, session, network)
        if rest > 0 then
          resting, longest = resting or {}, math.max(longest, rest)
          resting[#resting + 1] = seat
        end
      end
    end
  end
  if wanted == 0 then return HOLD .. record_of(hold) end
  local owned = (hold and hold.count or 0) + (tonumber(bought_before[index]) or 0)
  if owned + wanted > seats_per_buyer then
    return refuse(REFUSED.limit_exceeded, nil, 'at most ' .. seats_per_buyer .. ' seats a buyer')
  end
  if taken then return refuse(REFUSED.seat_taken, taken) end
  if resting then return refuse(REFUSED.cooling_down, resting, 'given back a moment ago', longest) end
  if network ~= '' then
    local held = held_before[network] + (held_more[network] or 0)
    if held + wanted > seats_per_network then
      local detail = 'at most ' .. seats_per_network .. ' seats held from a network'
      return refuse(REFUSED.network_limit, nil, detail, COOL_DOWN_MS)
    end
    held_more[network] = (held_more[network] or 0) + wanted
  end

  if not hold then
    fence = fence + 1
    hold = new_hold(fence, session, now + lifetime, extensions)
    holds[session] = hold
  end
  local changes = ''
  for at = from, to do
    local seat = seats[at]
    if asked_by[seat] == index then
      asked_by[seat] = -index
      give_seat(hold, seat, prices[at], now, notes[seat] and note_taken(seat, session, network) or 0, network)
      changes = changes .. spack('<I4', 4 * seat + HELD)
    end
  end
  return HOLD .. announce(hold, changes)
end

local answers = {}
for index = 1, step_count do
  local session, body = sessions[index], ARGV[2 * index + 2]
  local kind = byte(body)
  if kind == TAKE then
    answers[index] = take_hold(session, index, network_of and network_of[index] or '')
  else
    answers[index] = later[kind](session, body)
  end
end
commit()
return answers
