-- Purpose: takes a lease that nobody has, or prolongs the owner's.
-- KEYS: lease
-- ARGV: {owner, ms}
-- Reply: 1 if the owner has it now, else 0.

local owner, ms = unpack(cmsgpack.unpack(ARGV[1]))
local holder = redis.call('GET', KEY.lease)
if holder and holder ~= owner then return 0 end
redis.call('SET', KEY.lease, owner, 'PX', ms)
return 1
