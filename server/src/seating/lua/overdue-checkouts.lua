-- Purpose: gives out checkouts that somebody has to look after: their request may not be in the payment log, or their
--   outcome is long overdue [P2]. Who gets one hands it over, so nobody may give it up any more.
-- KEYS: meta seats holds bought hold-deadlines feed unsettled unsettled-due rested-seats networks
-- ARGV: {given instant, ms until they are given out again, how many at most}
-- Reply: nil without a history, else {order id, what is remembered of it (hold-book.lua), order id, …}.
-- Calls: 2 reads when there are none.
-- include: hold-book.lua
-- include: hold-life.lua

if not epoch then return false end
local _, again_ms, most = unpack(arguments)

local due = redis.call('ZRANGEBYSCORE', KEY.unsettled_due, '-inf', now, 'LIMIT', 0, most)
local records, sessions, overdue = {}, {}, {}
for index, packed in ipairs(#due > 0 and redis.call('HMGET', KEY.unsettled, unpack(due)) or {}) do
  local order = due[index]
  if packed then
    local session = select(4, sunpack(CARE, packed))
    sessions[#sessions + 1], records[order] = session, session
    postponed[order] = now + again_ms
    overdue[#overdue + 1] = order
    overdue[#overdue + 1] = packed
  else
    forget(order)
  end
end
read_holds(sessions)
for order, session in pairs(records) do
  local hold = holds[session]
  if is_paying(hold, order) and hold.stage == NEW then
    hold.stage = REPEATED
    keep(hold)
  end
end
commit()
return overdue
