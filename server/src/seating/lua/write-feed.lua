-- The feed's pen. An entry of the stream carries everything that one step changed, as one list; its id is
-- `<epoch>-<number>`, and numbers count from 1 without a gap: a follower sees by the id whether it missed something.
--
-- Each element: {changes, notice}. Changes: {seat, status, seat, status, …}. Notice: false, or
--   {'hold', session, hold}  {'hold-ended', session, token, seats, reason, revision}  {'order', session, order as JSON}
--   {'admitted', {session, deadline, session, deadline, …}}  {'outside', session, reason}

-- What a stream may grow to where nobody follows it, so that nobody trims it behind a checkpoint. A follower that
-- needs what was cut off starts a new epoch.
local FEED_LENGTH_MAX = 200000

local function append_entry(epoch, number, elements)
  local id = epoch .. '-' .. string.format('%.0f', number)
  redis.call('XADD', KEY.feed, 'MAXLEN', '~', FEED_LENGTH_MAX, id, 'e', cmsgpack.pack(elements))
end
