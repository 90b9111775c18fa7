-- Purpose: keeps a loaded catalogue and ends its lease, unless the catalogue was edited meanwhile.
-- KEYS: entry version lease
-- ARGV: {token, version at the beginning of the load, hash, loaded at, kept ms, lease ms}, text
-- Reply: 'stored'; 'lost' if the lease is not the node's any more; or the version that there is now, the lease renewed

local token, version, hash, loaded_at, kept_ms, lease_ms = unpack(cmsgpack.unpack(ARGV[1]))
if redis.call('GET', KEY.lease) ~= token then return 'lost' end
local version_now = tonumber(redis.call('GET', KEY.version) or 0)
if version_now ~= version then
  redis.call('PEXPIRE', KEY.lease, string.format('%.0f', lease_ms))
  return version_now
end
redis.call('HSET', KEY.entry, 'hash', hash, 'loaded-at', string.format('%.0f', loaded_at), 'text', ARGV[2])
redis.call('PEXPIRE', KEY.entry, string.format('%.0f', kept_ms))
redis.call('DEL', KEY.lease)
return 'stored'
