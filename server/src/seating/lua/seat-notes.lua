-- What is remembered of seats besides their statuses, so that they are bought and not kept from others [P7]:
-- `seat-notes.ts` says it in words, and decides the same for the other stores. While a seat is held, its hold knows who
-- took it when and from where; a note is kept of what was given back.
--   rested-seats: seat → instant until which it is left to others, times given back in a row, session, network

local CHANGE_OF_MIND_MS = 10000
local COOL_DOWN_MAX_MS = 600000
local NOTE_KEPT_MS = 600000
local NOTE = '<dBBc0Bc0'

local changed_notes = {}

local function count_held(network, more)
  if network ~= '' then held_more[network] = (held_more[network] or 0) + more end
end

-- Milliseconds for which a seat is still left to others than this one.
function rest_ms(seat, session, network)
  local rests_until, given_back, giver, from = sunpack(NOTE, notes[seat])
  if giver ~= session and (network == '' or from ~= network or given_back < 2) then return 0 end
  return math.max(0, rests_until - now)
end

-- How often in a row this one has given the seat back before taking it again. Its hold knows that from now on.
function note_taken(seat, session, network)
  local note = notes[seat]
  notes[seat], changed_notes[seat] = false, true
  local rests_until, given_back, giver, from = sunpack(NOTE, note)
  local is_same = giver == session or (network ~= '' and from == network)
  return is_same and now < rests_until + NOTE_KEPT_MS and given_back or 0
end

-- A seat was given back, or its time ran out, at an instant. `taken_at`: below 0 where nobody knows.
local function note_given_back(seat, session, network, taken_at, given_back, at)
  count_held(network, -1)
  if taken_at < 0 then return end
  given_back = given_back + 1
  local rest = math.min(COOL_DOWN_MAX_MS, COOL_DOWN_MS * 2 ^ (given_back - 1))
  if given_back == 1 and at - taken_at <= CHANGE_OF_MIND_MS then rest = 0 end
  notes[seat] = spack(NOTE, at + rest, math.min(given_back, 255), #session, session, #network, network)
  changed_notes[seat] = true
end

local function commit_notes()
  local kept, gone = {}, {}
  for seat in pairs(changed_notes) do
    if notes[seat] then
      local at = #kept
      kept[at + 1], kept[at + 2] = place_of(seat), notes[seat]
    else
      gone[#gone + 1] = place_of(seat)
    end
  end
  write_all('HSET', KEY.rested_seats, kept)
  write_all('HDEL', KEY.rested_seats, gone)
end
