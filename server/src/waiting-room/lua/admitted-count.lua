-- Purpose: how many are admitted now.
-- KEYS: admitted
-- ARGV: {given instant or false}
-- Reply: how many.
-- include: ../../platform/lua/store-time.lua

local now = instant(cmsgpack.unpack(ARGV[1])[1])
return redis.call('ZCOUNT', KEY.admitted, '(' .. string.format('%.0f', now), '+inf')
