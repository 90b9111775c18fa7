-- The feed's pen. An entry of the stream carries everything that one step changed, as one list; its id is
-- `<epoch>-<number>`, and numbers count from 1 without a gap: a follower sees by the id whether it missed something.
--
-- Each element: {changes, notice}. Changes: {seat, status, seat, status, …}. Notice: false, or
--   {'admitted', {session, deadline, session, deadline, …}}  {'outside', session, reason}
--
-- What happens to seats comes too often for that, and is PACKED, a byte that begins no MessagePack, followed by
-- elements of fixed fields ELEMENT: kind of notice, how many changes, bytes of the notice; then for each change a seat
-- times 4 plus its status; then the notice. Each text has its length before it, but the last one.
--   hold: session, its record (hold-book.lua)    ended: token, revision, reason, session, 32 bits a seat
--   order: session, order as JSON                other: one of those above
local PACKED, ELEMENT = '\193', '<BI4I4'
local NOTICE_NONE, NOTICE_HOLD, NOTICE_ENDED, NOTICE_ORDER, NOTICE_OTHER = 0, 1, 2, 3, 4

-- What a stream may grow to where nobody follows it, so that nobody trims it behind a checkpoint. A follower that
-- needs what was cut off starts a new epoch.
local FEED_LENGTH_MAX = '200000'

-- `entry`: a list of elements as MessagePack, or PACKED and packed ones.
local function append(epoch, number, entry)
  redis.call('XADD', KEY.feed, 'MAXLEN', '~', FEED_LENGTH_MAX, epoch .. '-' .. number, 'e', entry)
end

-- `changes`: packed as above.
local function pack_element(changes, kind, notice)
  return struct.pack(ELEMENT, kind, #changes / 4, #notice) .. changes .. notice
end
