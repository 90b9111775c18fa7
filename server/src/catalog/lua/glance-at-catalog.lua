-- Purpose: what the nodes share of the catalogue, and for one of those that find it due the right to load it.
-- KEYS: entry version lease
-- ARGV: {hash that the node has or false, loaded from, loaded until, token, lease ms}
-- Reply: {hash or nil, text or nil if the node has it, version or nil if the lease is not the node's}

local known, loaded_from, loaded_until, token, lease_ms = unpack(cmsgpack.unpack(ARGV[1]))
local found = redis.call('HMGET', KEY.entry, 'hash', 'loaded-at')
local hash, loaded_at = found[1], tonumber(found[2])
local is_due = not loaded_at or loaded_at < loaded_from or loaded_at > loaded_until

local text = false
if hash and hash ~= known then text = redis.call('HGET', KEY.entry, 'text') end
local version = false
if is_due and redis.call('SET', KEY.lease, token, 'NX', 'PX', string.format('%.0f', lease_ms)) then
  version = tonumber(redis.call('GET', KEY.version) or 0)
end
return { hash, text, version }
