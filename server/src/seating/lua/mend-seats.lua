-- Purpose: makes seats what the database says of them, where an outcome was lost on its way or is missing [P1, P3].
-- KEYS: meta seats holds bought hold-deadlines feed unsettled unsettled-due rested-seats networks
-- ARGV: {given instant, {{session, {seat…}}…} sold, {seat…} nobody's, {{session, how many seats it has bought by this
--   store, and by the database}…} counts; one that has changed since is left alone}
-- Reply: nil without a history, else 1.
-- include: hold-book.lua
-- include: hold-life.lua
-- include: sell-seats.lua

if not epoch then return false end
local _, sold, unsold, counts = unpack(arguments)

for _, one in ipairs(counts) do
  local session, here, right = unpack(one)
  if (tonumber(redis.call('HGET', KEY.bought, session)) or 0) == here then bought[session] = right - here end
end
for _, one in ipairs(sold) do
  local session, seats = unpack(one)
  read_statuses(seats)
  sell_seats(session, seats, nil)
end
read_statuses(unsold)
local freed = {}
for _, seat in ipairs(unsold) do
  if statuses[seat] == SOLD then
    set_status(seat, AVAILABLE)
    freed[#freed + 1] = change(seat, AVAILABLE)
  end
end
if #freed > 0 then tell(table.concat(freed), NOTICE_NONE, '') end
commit()
return 1
