-- Purpose: gives out checkouts that somebody has to look after: their request may not be in the payment log, or their
--   outcome is long overdue [P2]. Who gets one hands it over, so nobody may give it up any more.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkouts checkouts-due seat-notes networks
-- ARGV: {given instant, ms until they are given out again, how many at most}
-- Reply: nil without a history, else packed {{order id, session, token, key, {seat…}, amount, instant it was begun}…}.
-- Calls: 2 reads when there are none.
-- include: hold-book.lua

if not epoch then return false end
local _, again_ms, most = unpack(arguments)

local due = redis.call('ZRANGEBYSCORE', KEY.checkouts_due, '-inf', now, 'LIMIT', 0, most)
local records, sessions, overdue = {}, {}, {}
for index, packed in ipairs(#due > 0 and redis.call('HMGET', KEY.checkouts, unpack(due)) or {}) do
  local order = due[index]
  if packed then
    local record = cmsgpack.unpack(packed)
    sessions[#sessions + 1] = record[1]
    records[order] = record
    postponed[order] = now + again_ms
    overdue[#overdue + 1] = { order, unpack(record) }
  else
    forget(order)
  end
end
read_holds(sessions)
for order, record in pairs(records) do
  local hold = holds[record[1]]
  if hold and hold.checkout and hold.checkout[1] == order and hold.checkout[5] == NEW then
    hold.checkout[5] = REPEATED
    changed_holds[hold.session] = true
  end
end
commit()
return cmsgpack.pack(overdue)
