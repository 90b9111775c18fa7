-- Purpose: undoes a checkout where the payment log refused the request; the key may be used anew. Not where anybody
--   else may have handed the request over.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkouts checkouts-due seat-notes networks
-- ARGV: {given instant, session, order id}
-- Reply: nil without a history, else 1.
-- include: hold-book.lua

if not epoch then return false end
local _, session, order = unpack(arguments)

local hold = live(hold_of(session), now)
if hold and hold.checkout and hold.checkout[1] == order and hold.checkout[5] == NEW then
  local kept = {}
  for _, known in ipairs(hold.keys) do
    if known[2] ~= order then kept[#kept + 1] = known end
  end
  hold.keys = kept
  forget(order)
  thaw(hold, now)
  announce(hold)
end
commit()
return 1
