-- What is remembered of seats besides their statuses, so that they are bought and not kept from others [P7]:
-- `seat-notes.ts` says it in words, and decides the same for the other stores.
--
-- A note: {session, network or false, instant it was taken, times given back in a row, instant until which it is left to
--   others, whether it is held}

local CHANGE_OF_MIND_MS = 10000
local COOL_DOWN_MS, COOL_DOWN_MAX_MS = 30000, 600000
local NOTE_KEPT_MS = 600000

-- By seat; false where there is none. By network: how many more seats are held from there than before this step.
local notes, changed_notes = {}, {}
local held_more = {}

local function read_notes(seats)
  local unknown = {}
  for _, seat in ipairs(seats) do
    if notes[seat] == nil then
      notes[seat] = false
      unknown[#unknown + 1] = seat
    end
  end
  if #unknown == 0 then return end
  for index, packed in ipairs(read_all('HMGET', KEY.seat_notes, unknown)) do
    if packed then notes[unknown[index]] = cmsgpack.unpack(packed) end
  end
end

local function note_of(seat)
  if notes[seat] == nil then read_notes({ seat }) end
  return notes[seat]
end

local function count_held(network, more)
  if network then held_more[network] = (held_more[network] or 0) + more end
end

local function is_same_party(note, session, network)
  return note[1] == session or (network and note[2] == network)
end

-- Milliseconds for which a seat is still left to others than this one.
local function rest_ms(seat, session, network)
  local note = note_of(seat)
  if not note or note[6] or not is_same_party(note, session, network) then return 0 end
  if note[4] < 2 and note[1] ~= session then return 0 end
  return math.max(0, note[5] - now)
end

local function note_taken(seat, session, network)
  local before = note_of(seat)
  local goes_on = before and is_same_party(before, session, network) and now < before[5] + NOTE_KEPT_MS
  notes[seat] = { session, network, now, goes_on and before[4] or 0, 0, true }
  changed_notes[seat] = true
  count_held(network, 1)
end

-- The note of a seat that is held, which counts no more; nil if there is none.
local function end_note(seat)
  local note = note_of(seat)
  if not note or not note[6] then return nil end
  changed_notes[seat] = true
  count_held(note[2], -1)
  return note
end

-- A seat was given back, or its time ran out, at an instant.
local function note_given_back(seat, at)
  local note = end_note(seat)
  if not note then return end
  local given_back = note[4] + 1
  local rest = math.min(COOL_DOWN_MAX_MS, COOL_DOWN_MS * 2 ^ (given_back - 1))
  if given_back == 1 and at - note[3] <= CHANGE_OF_MIND_MS then rest = 0 end
  notes[seat] = { note[1], note[2], note[3], given_back, at + rest, false }
end

-- A seat was sold, or taken from who held it: nobody hoards it.
local function drop_note(seat)
  if end_note(seat) then notes[seat] = false end
end

local function commit_notes()
  local kept, gone = {}, {}
  for seat in pairs(changed_notes) do
    if notes[seat] then
      local at = #kept
      kept[at + 1], kept[at + 2] = text_of(seat), cmsgpack.pack(notes[seat])
    else
      gone[#gone + 1] = text_of(seat)
    end
  end
  write_all('HSET', KEY.seat_notes, kept)
  write_all('HDEL', KEY.seat_notes, gone)
  for network, more in pairs(held_more) do
    if more ~= 0 and redis.call('HINCRBY', KEY.networks, network, more) <= 0 then
      redis.call('HDEL', KEY.networks, network)
    end
  end
end
