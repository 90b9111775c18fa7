-- Purpose: ends the lease of a load that failed, if it is still the node's.
-- KEYS: lease
-- ARGV: {token}
-- Reply: 1

local token = unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('GET', KEY.lease) == token then redis.call('DEL', KEY.lease) end
return 1
