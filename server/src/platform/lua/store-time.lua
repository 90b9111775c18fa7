-- The instant of this step in milliseconds since the Unix epoch: by Redis's own clock, so that no node's clock can be
-- wrong for everybody. `given`: false, or the instant that a test has chosen.
local function instant(given)
  if given then return given end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
