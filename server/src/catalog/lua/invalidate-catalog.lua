-- Purpose: forgets the shared catalogue after an edit, in a way that a load begun before the edit notices.
-- KEYS: entry version
-- ARGV: {}
-- Reply: 1

redis.call('INCR', KEY.version)
redis.call('DEL', KEY.entry)
return 1
