-- What the database sold is its buyer's, whoever holds it here: the database is the arbiter [P1]. Needs hold-book.lua.

-- Goes on with a hold some of whose seats the database gave to an order that it was not frozen for.
local function take_loss(hold, lost, buyer)
  if hold.expires <= now then
    for _, seat in ipairs(seats_of(hold)) do lost[#lost + 1] = seat end
    end_hold(hold, 'expired', pack_seats(lost))
  elseif hold.count > 0 then
    announce(hold, '')
  else
    end_hold(hold, hold.session == buyer and 'sold' or 'lost', pack_seats(lost))
  end
end

local holder_sessions = nil

-- The hold that has a seat; whoever else it is than the one that pays for it has to be searched.
local function holder_of(seat)
  holder_sessions = holder_sessions or holders()
  local session = holder_sessions[seat]
  return session and holds[session]
end

-- Makes seats a session's. `paying`: the hold that was frozen for them, or nil. `notice`: of the order, or nil.
local function sell_seats(session, seats, paying, notice)
  local changes, losers, losses, paid = {}, {}, {}, {}
  for _, seat in ipairs(paying and seats_of(paying) or {}) do paid[seat] = true end
  for _, seat in ipairs(seats) do
    if statuses[seat] ~= SOLD then
      local holder = statuses[seat] == HELD and (paid[seat] and paying or holder_of(seat))
      local found = holder and take_seat(holder, seat)
      if found then count_held(found[4], -1) end
      if found and holder ~= paying then
        if not losses[holder] then
          losers[#losers + 1], losses[holder] = holder, {}
        end
        table.insert(losses[holder], seat)
      end
      set_status(seat, SOLD)
      bought[session] = (bought[session] or 0) + 1
      changes[#changes + 1] = change(seat, SOLD)
    end
  end
  if notice then tell(table.concat(changes), NOTICE_ORDER, notice)
  elseif #changes > 0 then tell(table.concat(changes), NOTICE_NONE, '') end
  if paying then end_hold(paying, 'sold', pack_seats(seats)) end
  for _, hold in ipairs(losers) do take_loss(hold, losses[hold], session) end
end
