-- Purpose: a new history of a show that has only a feed.
-- KEYS: meta seats feed checkpoint
-- ARGV: {epoch, section count}, statuses
-- Reply: 1
-- include: ../../../src/feed/lua/begin-history.lua

local epoch, section_count = unpack(cmsgpack.unpack(ARGV[1]))
redis.call('SET', KEY.seats, ARGV[2])
begin_history(epoch, ARGV[2], section_count)
redis.call('HSET', KEY.meta, 'fence', 0)
return 1
