-- include: write-feed.lua
-- A new history of the seats as they are now: another epoch, and sequences that count from 0.

-- Tokens may have been handed out that a restarted Redis no longer knows of. No second sees that many.
local FENCE_LEAP = 1000000

-- Entries whose notices are told again in a new epoch.
local ENTRIES_CARRIED = 500

local function server_run()
  return redis.call('INFO', 'server'):match('run_id:(%x+)')
end

local function begin_history(epoch, statuses, section_count)
  redis.call('DEL', KEY.feed, KEY.checkpoint)
  redis.call('HSET', KEY.checkpoint, 'number', 1, 'statuses', statuses,
    'sequences', string.rep('\0', 4 * section_count))
  redis.call('HSET', KEY.meta, 'epoch', epoch, 'fed', 1, 'run', server_run(), 'sections', section_count)
  -- Says nothing but that there is a new epoch: whoever waits for the feed hears of it at once.
  append_entry(epoch, 1, {})
end

-- What the last entries told sessions, in order, without the seats: those are in the new base. Somebody may not have
-- heard it [P2], and hearing it again ends where it ended.
local function last_notices()
  local elements = {}
  local entries = redis.call('XREVRANGE', KEY.feed, '+', '-', 'COUNT', ENTRIES_CARRIED)
  for index = #entries, 1, -1 do
    for _, element in ipairs(cmsgpack.unpack(entries[index][2][2])) do
      if element[2] then elements[#elements + 1] = { {}, element[2] } end
    end
  end
  return elements
end

-- Goes on with seats whose history can't be trusted: the server is not the one that wrote it (it may have lost its
-- last second, which followers have seen), or entries are missing.
local function renew_history(meta, epoch, now)
  epoch = string.format('%.0f', math.max(epoch, tonumber(meta.epoch) + 1))
  local notices = last_notices()
  begin_history(epoch, redis.call('GET', KEY.seats) or '', tonumber(meta.sections))
  redis.call('HSET', KEY.meta, 'fence', string.format('%.0f', math.max(tonumber(meta.fence) + FENCE_LEAP, now)))
  if #notices > 0 then append_entry(epoch, redis.call('HINCRBY', KEY.meta, 'fed', 1), notices) end
  return tonumber(epoch)
end

local function read_meta()
  local values = redis.call('HMGET', KEY.meta, 'epoch', 'fed', 'run', 'sections', 'fence')
  if not values[1] then return nil end
  return { epoch = values[1], fed = tonumber(values[2]), run = values[3], sections = values[4], fence = values[5] }
end
