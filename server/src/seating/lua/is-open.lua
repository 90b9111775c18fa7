-- Purpose: tells whether Redis has a show's history, the whole of it.
-- KEYS: meta seats
-- Reply: 1 if it has, else 0.
-- include: ../../feed/lua/history.lua

local meta = redis.call('HMGET', KEY.meta, 'replication', 'seats')
return is_whole(meta[1], meta[2]) and 1 or 0
