-- Purpose: ends holds that ran out and tells the feed [P3]. Any number of nodes may call it.
-- KEYS: meta seats holds bought hold-deadlines feed unsettled unsettled-due rested-seats networks
-- ARGV: {given instant, how many at most}
-- Reply: nil without a history, else how many.
-- Calls: 6 reads when nothing ran out.
-- include: hold-book.lua
-- include: hold-life.lua

if not epoch then return false end

-- Every live hold has one record and one deadline. Where one of those keys was lost, holds would never end, or their
-- seats never come back [P3]: `open-seats` puts together what is left.
if redis.call('HLEN', KEY.holds) ~= redis.call('ZCARD', KEY.hold_deadlines) then
  redis.call('HDEL', KEY.meta, 'replication')
  return false
end

local _, most = unpack(arguments)
local due = redis.call('ZRANGEBYSCORE', KEY.hold_deadlines, '-inf', text_of(now), 'LIMIT', 0, most)
end_due(due)
commit()
return #due
