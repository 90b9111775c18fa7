import { defineEntity, p } from '@mikro-orm/sql';

/** One history of a show's live seats: it begins with `open` and ends with `forget`. */
export const liveShowTable = defineEntity({
  name: 'LiveShow',
  tableName: 'live_shows',
  properties: {
    showId: p.integer().primary(),
    epoch: p.integer(),
    /** Hold tokens of this history are this plus a number that the database counts up. */
    tokenBase: p.bigint('number'),
    /** How much of the feed is numbered. */
    position: p.bigint('number'),
    sectionCount: p.integer(),
  },
});

/** One seat; `changes` counts the changes of its status that the feed told of. */
export const liveSeatTable = defineEntity({
  name: 'LiveSeat',
  tableName: 'live_seats',
  properties: {
    showId: p.integer().primary(),
    seat: p.integer().primary(),
    section: p.integer(),
    status: p.integer(),
    heldBy: p.string().nullable(),
    soldTo: p.string().nullable(),
    changes: p.integer(),
  },
});

/** What is remembered of a seat besides its status: `note` as JSON, and the network that it is held from. */
export const liveSeatNoteTable = defineEntity({
  name: 'LiveSeatNote',
  tableName: 'live_seat_notes',
  properties: {
    showId: p.integer().primary(),
    seat: p.integer().primary(),
    heldFrom: p.string().nullable(),
    note: p.string(),
  },
});

/** A buyer's hold; `claim` is the rest of it as JSON. The row is also what keeps a buyer's requests apart. */
export const liveHoldTable = defineEntity({
  name: 'LiveHold',
  tableName: 'live_holds',
  properties: {
    showId: p.integer().primary(),
    sessionId: p.string().primary(),
    holdToken: p.bigint('number'),
    expiresAt: p.bigint('number'),
    claim: p.string(),
  },
});

/** A checkout without an outcome; `request` is what its payment request is made from, as JSON. */
export const liveCheckoutTable = defineEntity({
  name: 'LiveCheckout',
  tableName: 'live_checkouts',
  properties: {
    showId: p.integer().primary(),
    orderId: p.string().primary(),
    sessionId: p.string(),
    dueAt: p.bigint('number'),
    request: p.string(),
  },
});

/** Gives out rising numbers; its rows are deleted in the step that made them. */
export const liveHoldTokenTable = defineEntity({
  name: 'LiveHoldToken',
  tableName: 'live_hold_tokens',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    showId: p.integer(),
  },
});

/** What a step told the feed, not numbered yet. */
export const liveFeedDraftTable = defineEntity({
  name: 'LiveFeedDraft',
  tableName: 'live_feed_drafts',
  properties: {
    id: p.bigint('number').primary().autoincrement(),
    showId: p.integer(),
    entries: p.string(),
  },
});

/** The numbered feed, without gaps. */
export const liveFeedTable = defineEntity({
  name: 'LiveFeedRecord',
  tableName: 'live_feed',
  properties: {
    showId: p.integer().primary(),
    position: p.bigint('number').primary(),
    entries: p.string(),
  },
});

export const liveSeatTables = [
  liveShowTable,
  liveSeatTable,
  liveSeatNoteTable,
  liveHoldTable,
  liveCheckoutTable,
  liveHoldTokenTable,
  liveFeedDraftTable,
  liveFeedTable,
] as const;
