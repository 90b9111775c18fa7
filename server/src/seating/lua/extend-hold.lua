-- Purpose: moves the deadline of a buyer's hold to one lifetime from now.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed
-- ARGV: {now, session, token, hold lifetime ms}
-- Reply: nil without a history; else packed {0, hold} or {refusal, {}, ''}.
-- include: hold-book.lua

if not epoch then return false end
local now, session, token, lifetime = unpack(cmsgpack.unpack(ARGV[1]))

local function decide()
  local hold, refused = own_hold(session, token, now)
  if not hold then return { refused, {}, '' } end
  if hold.checkout then return { REFUSED.in_checkout, {}, '' } end
  if hold.extensions == 0 then return { REFUSED.extension_limit, {}, '' } end
  hold.extensions = hold.extensions - 1
  hold.expires = now + lifetime
  changed_holds[session] = true
  announce(hold)
  return { 0, tuple_of(hold) }
end

local outcome = decide()
commit()
return cmsgpack.pack(outcome)
