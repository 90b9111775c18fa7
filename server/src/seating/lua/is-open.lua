-- Purpose: tells whether Redis has a show's history, the whole of it.
-- KEYS: meta
-- Reply: 1 if it has, else 0.
-- include: history.lua

return is_whole(redis.call('HGET', KEY.meta, 'replication')) and 1 or 0
