-- What the database sold is its buyer's, whoever holds it here: the database is the arbiter [P1]. Needs hold-book.lua.

-- Goes on with a hold some of whose seats the database gave to an order that it was not frozen for.
local function take_loss(hold, lost, buyer, now)
  if hold.expires <= now then
    for _, seat in ipairs(hold.seats) do lost[#lost + 1] = seat end
    end_hold(hold, 'expired', lost)
  elseif #hold.seats > 0 then
    announce(hold)
  else
    end_hold(hold, hold.session == buyer and 'sold' or 'lost', lost)
  end
end

-- Makes seats a session's. `paying`: the hold that was frozen for them, or nil. `notice`: what sessions hear, or false.
local function sell_seats(session, seats, paying, notice, now)
  local changes, losers, losses, paid = {}, {}, {}, {}
  for _, seat in ipairs(paying and paying.seats or {}) do paid[seat] = true end
  for _, seat in ipairs(seats) do
    if statuses[seat] ~= SOLD then
      local holder = statuses[seat] == HELD and (paid[seat] and paying or holder_of(seat))
      if holder and take_seat(holder, seat) and holder ~= paying then
        if not losses[holder] then
          losers[#losers + 1], losses[holder] = holder, {}
        end
        table.insert(losses[holder], seat)
      end
      set_status(seat, SOLD)
      drop_note(seat)
      bought[session] = (bought[session] or 0) + 1
      local at = #changes
      changes[at + 1], changes[at + 2] = seat, SOLD
    end
  end
  if notice or #changes > 0 then tell(changes, notice) end
  if paying then end_hold(paying, 'sold', seats) end
  for _, hold in ipairs(losers) do take_loss(hold, losses[hold], session, now) end
end
