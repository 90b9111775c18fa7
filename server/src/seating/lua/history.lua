-- Whether what Redis has of a show is the whole of it [P1]. A server that was started again, or that took over from
-- another one, may lack the last seconds, or days, of what was written and acknowledged: seats that were sold since
-- would be on sale. The replication id is of one server's one run as a master, so it tells; a copied file, an older
-- append-only file or a stale replica never has it. Until `open-seats` has set the show up from the database and the
-- payment log, such a history counts as none.

local function replication_id()
  return redis.call('INFO', 'replication'):match('master_replid:(%x+)')
end

-- `written_by`: the replication id of the server that the history was begun on. Nor is a history whole of which
-- somebody, or a Redis that evicts, has deleted the statuses: sold seats would look free.
local function is_whole(written_by, seat_count)
  return written_by == replication_id() and redis.call('STRLEN', KEY.seats) == tonumber(seat_count)
end
