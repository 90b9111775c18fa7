-- Purpose: ends holds that ran out and tells the feed [P3]. Any number of nodes may call it.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkouts checkouts-due seat-notes networks
-- ARGV: {given instant, how many at most}
-- Reply: nil without a history, else how many.
-- Calls: 6 reads when nothing ran out.
-- include: hold-book.lua

if not epoch then return false end

-- Every live hold has one record, one token and one deadline. Where one of those keys was lost, holds would never end,
-- or their seats never come back [P3]: `open-seats` puts together what is left.
local holds_count = redis.call('HLEN', KEY.buyers)
if redis.call('HLEN', KEY.hold_owners) ~= holds_count or redis.call('ZCARD', KEY.hold_deadlines) ~= holds_count
  or redis.call('STRLEN', KEY.seat_holds) ~= 8 * redis.call('STRLEN', KEY.seats) then
  redis.call('HDEL', KEY.meta, 'replication')
  return false
end

local _, most = unpack(arguments)
local count = sweep(now, most)
commit()
return count
