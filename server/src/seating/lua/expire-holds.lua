-- Purpose: ends holds that ran out and tells the feed [P3]. Any number of nodes may call it.
-- KEYS: meta seats seat-holds buyers bought hold-owners hold-deadlines feed checkouts checkouts-due seat-notes networks
-- ARGV: {given instant, how many at most}
-- Reply: nil without a history, else how many.
-- Calls: 2 reads when nothing ran out.
-- include: hold-book.lua

if not epoch then return false end
local _, most = unpack(arguments)
local count = sweep(now, most)
commit()
return count
