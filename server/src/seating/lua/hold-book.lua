-- include: ../../platform/lua/store-time.lua
-- include: ../../feed/lua/write-feed.lua
-- include: ../../feed/lua/history.lua
-- The books of one step. Holds, statuses and admissions are read when they are first needed, or all at once where a
-- step knows what it needs; decisions change the books only; `commit` writes everything in a fixed number of calls,
-- however many holds changed. A step that fails before `commit` has changed nothing.
--
-- A hold in Redis is one string of fixed fields, and what is told of it is the same string (`redis-feed-entry.ts`):
--   RECORD: token, expires, revision, amount, extensions, stage, how many seats, bytes of them; behind which stands
--   for each seat SEAT: seat, price, instant it was taken (-1: nobody knows), times given back before, network
--   for each checkout of it, ended ones included, CHECKOUT: amount, milliseconds the hold had left, instant it was
--     frozen, idempotency key, order id. The last one is under way where `stage` is above NONE.
-- In the books it is { session, token, expires, revision, amount, extensions, stage, count, seats, checkouts }, the last
-- two still packed: most steps only put something behind them.
--
-- A checkout without an outcome is remembered whatever becomes of its hold:
--   unsettled: order id → CARE: token, amount, instant it was begun, session, idempotency key, and 32 bits a seat
--   unsettled-due: order ids by the instant at which somebody has to look after them

local spack, sunpack = struct.pack, struct.unpack
local RECORD, SEAT, HOLD_ELEMENT = '<ddddBBI4I4c0c0', '<I4ddBBc0', '<BI4I4c0Bc0c0'

local AVAILABLE, HELD, SOLD = 0, 1, 2

-- How far a payment request is on its way to the payment log; never goes back. Only what is NEW may be given up: it
-- was handed over by one node, which knows that it was refused.
local NONE, NEW, REPEATED, ACCEPTED = 0, 1, 2, 3

-- Lua passes at most some 8,000 values to a function. A multiple of 2, 3 and 4: no group is cut.
local SLICE = 6000

-- How long a seat that was given back is left to others at first.
local COOL_DOWN_MS = 30000

local arguments = cmsgpack.unpack(ARGV[1])
local now = instant(arguments[1])
local meta = redis.call('HMGET', KEY.meta, 'epoch', 'fence', 'fed', 'replication', 'seats')
local fence, fed = tonumber(meta[2]), tonumber(meta[3])
-- False where nothing may be decided: there is no history, or not the whole of it.
local epoch = meta[1] and is_whole(meta[4], meta[5]) and meta[1]

local holds, changed_holds = {}, {}
-- Nils make room for one at once: a table that grows is slow.
local statuses, status_writes = {}, { nil, nil, nil, nil }
-- By seat, packed; false where there is none.
local notes = {}
-- By network: how many seats were held from there, where that was read, and how many more are than before.
local held_before, held_more = {}, {}
local elements = {}

-- Redis runs a script's text anew with every call, so each function costs every call. What a step needs that only takes
-- free seats is here; hold-life.lua has the rest.
local live, each_seat, rest_ms, note_taken, commit_life

-- Redis writes a number that is an argument with 17 significant digits, which is slow; so each is made a text once.
local texts, places = { [0] = '0', '1', '2' }, {}

local function text_of(number)
  local text = texts[number]
  if not text then
    text = string.format('%d', number)
    texts[number] = text
  end
  return text
end

-- A seat's place in a string of one number a seat, and its name among the notes.
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

local function record_of(hold)
  return spack(RECORD, hold.token, hold.expires, hold.revision, hold.amount, hold.extensions, hold.stage, hold.count,
    #hold.seats, hold.seats, hold.checkouts)
end

local function read_statuses(seats)
  if #seats == 0 then return end
  local asked, at = { nil, nil, nil }, 0
  for index = 1, #seats do
    asked[at + 1], asked[at + 2], asked[at + 3] = 'GET', 'u8', place_of(seats[index])
    at = at + 3
  end
  local found = read_all('BITFIELD', KEY.seats, asked)
  for index = 1, #seats do
    local seat = seats[index]
    -- What this step has changed is written when it is over.
    if statuses[seat] == nil then statuses[seat] = found[index] end
  end
end

local function set_status(seat, status)
  statuses[seat] = status
  local at = #status_writes
  status_writes[at + 1], status_writes[at + 2] = 'SET', 'u8'
  status_writes[at + 3], status_writes[at + 4] = place_of(seat), texts[status]
end

-- The time is part of it so that a restored hold, whose revision is lost, goes on above it.
local function revise(hold)
  local revision = hold.revision + 1
  hold.revision = revision > now and revision or now
end

-- Tells of a hold that changed, and returns its record.
-- `changes`: 32 bits for each, a seat times 4 plus its status.
local function announce(hold, changes)
  revise(hold)
  local record, session = record_of(hold), hold.session
  changed_holds[session] = record
  -- As pack_element does.
  elements[#elements + 1] = spack(HOLD_ELEMENT, NOTICE_HOLD, #changes / 4, 1 + #session + #record, changes, #session,
    session, record)
  return record
end

local function new_hold(token, session, expires, extensions)
  return {
    session = session, token = token, expires = expires, revision = 0, amount = 0, extensions = extensions,
    stage = NONE, count = 0, seats = '', checkouts = '',
  }
end

local function give_seat(hold, seat, price, taken_at, given_back, network)
  hold.count, hold.amount = hold.count + 1, hold.amount + price
  hold.seats = hold.seats .. spack(SEAT, seat, price, taken_at, given_back, #network, network)
  set_status(seat, HELD)
end

local function read_networks(networks)
  for index, count in ipairs(read_all('HMGET', KEY.networks, networks)) do
    held_before[networks[index]] = tonumber(count) or 0
  end
end

local function commit_networks()
  local unread, counts, gone = {}, {}, {}
  for network in pairs(held_more) do
    if not held_before[network] then unread[#unread + 1] = network end
  end
  if #unread > 0 then read_networks(unread) end
  for network, more in pairs(held_more) do
    local count, at = held_before[network] + more, #counts
    if count <= 0 then gone[#gone + 1] = network
    elseif more ~= 0 then counts[at + 1], counts[at + 2] = network, text_of(count) end
  end
  write_all('HSET', KEY.networks, counts)
  write_all('HDEL', KEY.networks, gone)
end

-- Writes what changed, and its feed entry.
local function commit()
  write_all('BITFIELD', KEY.seats, status_writes)
  local live_holds, deadlines = { nil, nil }, { nil, nil }
  for session, record in pairs(changed_holds) do
    if record then
      local at = #live_holds
      live_holds[at + 1], live_holds[at + 2] = session, record
      deadlines[at + 1], deadlines[at + 2] = text_of(holds[session].expires), session
    end
  end
  write_all('HSET', KEY.holds, live_holds)
  write_all('ZADD', KEY.hold_deadlines, deadlines)
  if commit_life then commit_life() end
  if next(held_more) then commit_networks() end
  if #elements == 0 then return end
  fed = fed + 1
  redis.call('HSET', KEY.meta, 'fence', text_of(fence), 'fed', text_of(fed))
  append(epoch, text_of(fed), table.concat(elements))
end
