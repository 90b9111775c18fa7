-- Purpose: writes one entry to a show's feed, and the statuses that it tells of.
-- KEYS: meta seats feed
-- ARGV: {{element…}}
-- Reply: 1
-- include: ../../../src/seating/lua/write-feed.lua

local elements = cmsgpack.unpack(ARGV[1])[1]
for _, element in ipairs(elements) do
  local changes = element[1]
  for at = 1, #changes, 2 do redis.call('SETRANGE', KEY.seats, changes[at], string.char(changes[at + 1])) end
end
append_entry(redis.call('HGET', KEY.meta, 'epoch'), redis.call('HINCRBY', KEY.meta, 'fed', 1), elements)
return 1
