-- Purpose: a new history of a show that has only a feed.
-- KEYS: meta seats feed checkpoint sections
-- ARGV: {epoch, section count}, statuses, section of each seat as 16-bit little-endian numbers
-- Reply: 1
-- include: ../../../src/feed/lua/begin-history.lua

local epoch, section_count = unpack(cmsgpack.unpack(ARGV[1]))
redis.call('SET', KEY.seats, ARGV[2])
redis.call('SET', KEY.sections, ARGV[3])
begin_history(epoch, ARGV[2], section_count)
redis.call('HSET', KEY.meta, 'fence', 0)
return 1
