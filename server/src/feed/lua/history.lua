-- Whether what Redis has of a show is the whole of it [P1]. A server that was started again, or that took over from
-- another one, may lack the last seconds, or days, of what was written and acknowledged: seats that were sold since
-- would be on sale. The replication id is of one server's one run as a master, so it tells; a copied file, an older
-- append-only file or a stale replica never has it. Until `open-seats` has set the show up from the database and the
-- payment log, such a history counts as none.

-- Nor can a history be used that was kept in another form: seats are then set up anew as well. This is the third one.
local FORM = '3 '

local REPLICATION_ID_LENGTH = 40

-- Who writes a history, and in which form.
local function writer()
  local info = redis.call('INFO', 'replication')
  -- A plain search costs a tenth of a pattern's.
  local _, before = info:find('master_replid:', 1, true)
  return FORM .. info:sub(before + 1, before + REPLICATION_ID_LENGTH)
end

-- `written_by`: the writer on which the history was begun. Nor is a history whole of which
-- somebody, or a Redis that evicts, has deleted the statuses: sold seats would look free.
local function is_whole(written_by, seat_count)
  return written_by == writer() and redis.call('STRLEN', KEY.seats) == tonumber(seat_count)
end
