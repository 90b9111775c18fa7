-- The feed's pen. An entry of the stream carries everything that one step changed; its id is `<epoch>-<number>`, and
-- numbers count from 1 without a gap: a follower sees by the id whether it missed something.
--
-- An entry is elements of fixed fields ELEMENT, one behind the other: kind of notice, how many changes, bytes of the
-- notice; then for each change a seat times 4 plus its status; then the notice. Each text has its length before it, but
-- the last one.
--   hold: session, its record (hold-book.lua)    ended: token, revision, reason, session, 32 bits a seat
--   order: session, order as JSON    admitted: for each buyer deadline, session    outside: session, reason
local ELEMENT = '<BI4I4'
local NOTICE_NONE, NOTICE_HOLD, NOTICE_ENDED, NOTICE_ORDER, NOTICE_ADMITTED, NOTICE_OUTSIDE = 0, 1, 2, 3, 4, 5

-- What a stream may grow to where nobody follows it, so that nobody trims it behind a checkpoint. A follower that
-- needs what was cut off starts a new epoch.
local FEED_LENGTH_MAX = '200000'

-- `entry`: packed elements.
local function append(epoch, number, entry)
  redis.call('XADD', KEY.feed, 'MAXLEN', '~', FEED_LENGTH_MAX, epoch .. '-' .. number, 'e', entry)
end

-- `changes`: packed as above.
local function pack_element(changes, kind, notice)
  return struct.pack(ELEMENT, kind, #changes / 4, #notice) .. changes .. notice
end
