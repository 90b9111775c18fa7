-- Purpose: writes one entry to a show's feed, and the statuses that it tells of.
-- KEYS: meta seats feed
-- ARGV: {{seat, status, seat, status, …}}, the entry as it is to be written
-- Reply: 1
-- include: ../../../src/feed/lua/write-feed.lua

local changes = cmsgpack.unpack(ARGV[1])[1]
for at = 1, #changes, 2 do redis.call('SETRANGE', KEY.seats, changes[at], string.char(changes[at + 1])) end
append(redis.call('HGET', KEY.meta, 'epoch'), redis.call('HINCRBY', KEY.meta, 'fed', 1), ARGV[2])
return 1
