-- include: write-feed.lua
-- include: history.lua
-- A new history of the seats as they are now: another epoch, and sequences that count from 0.

-- Tokens may have been handed out that Redis no longer knows of. A clock in microseconds outruns them all, also those
-- that were handed out after the last leap; the leap is for a clock that was set back.
local FENCE_LEAP = 1000000

local function fence_above(fence, now)
  return math.max((fence or 0) + FENCE_LEAP, now * 1000)
end

-- How far a new epoch may lie above the one that is known, and what fits its field on the wire.
local EPOCH_STEP_MAX = 65536
local EPOCH_MAX = 4294967295

-- Entries whose notices are told again in a new epoch.
local ENTRIES_CARRIED = 500

-- Another epoch than `known`, 0 if none is, and by chance another than any that was forgotten. A little above it: ids
-- in the stream begin with the epoch, and whoever waits for the next one hears of a higher one at once.
local function epoch_after(known, random)
  local epoch = known + 1 + random % EPOCH_STEP_MAX
  if known > 0 and epoch <= EPOCH_MAX then return epoch end
  return random
end

local function begin_history(epoch, statuses, section_count)
  epoch = string.format('%.0f', epoch)
  redis.call('DEL', KEY.feed, KEY.checkpoint)
  redis.call('HSET', KEY.checkpoint, 'number', 1, 'statuses', statuses,
    'sequences', string.rep('\0', 4 * section_count))
  redis.call('HSET', KEY.meta, 'epoch', epoch, 'fed', 1, 'replication', writer(), 'sections', section_count,
    'seats', #statuses)
  -- Says nothing but that there is a new epoch: whoever waits for the feed hears of it at once.
  append(epoch, 1, '')
end

-- What the last entries told sessions, in order, without the seats: those are in the new base. Somebody may not have
-- heard it [P2], and hearing it again ends where it ended.
local function last_notices()
  local elements = {}
  local entries = redis.call('XREVRANGE', KEY.feed, '+', '-', 'COUNT', ENTRIES_CARRIED)
  for index = #entries, 1, -1 do
    local entry, at = entries[index][2][2], 1
    while at <= #entry do
      local kind, changes, size, from = struct.unpack(ELEMENT, entry, at)
      at = from + 4 * changes + size
      if kind ~= NOTICE_NONE then
        elements[#elements + 1] = pack_element('', kind, entry:sub(at - size, at - 1))
      end
    end
  end
  return elements
end

-- Goes on with seats whose entries are missing.
local function renew_history(meta, random, now)
  local epoch = epoch_after(meta.epoch, random)
  local notices = last_notices()
  begin_history(epoch, redis.call('GET', KEY.seats) or '', meta.sections)
  redis.call('HSET', KEY.meta, 'fence', string.format('%.0f', fence_above(meta.fence, now)))
  if #notices > 0 then
    local number = redis.call('HINCRBY', KEY.meta, 'fed', 1)
    append(string.format('%.0f', epoch), number, table.concat(notices))
  end
  return epoch
end

-- Nil without a history, or the whole of it.
local function read_meta()
  local values = redis.call('HMGET', KEY.meta, 'epoch', 'fed', 'sections', 'fence', 'replication', 'seats')
  if not values[1] or not is_whole(values[5], values[6]) then return nil end
  return {
    epoch = tonumber(values[1]), fed = tonumber(values[2]), sections = tonumber(values[3]),
    fence = tonumber(values[4]) or 0,
  }
end
