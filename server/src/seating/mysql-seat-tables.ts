import { defineEntity, type InferEntity, p } from '@mikro-orm/sql';
import type { HoldToken, NetworkTag, OrderId, SessionId, ShowId } from '../platform/ids.ts';

/** One history of a show's live seats: it begins with `open` and ends with `forget`. Who changes anything locks it. */
export const liveShowTable = defineEntity({
  name: 'LiveShow',
  tableName: 'live_shows',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    epoch: p.integer(),
    seatCount: p.integer(),
    sectionCount: p.integer(),
    lastToken: p.bigint('number'),
    /** Of the feed's last record. */
    position: p.bigint('number'),
  },
});

/**
 * One seat that was ever touched; `changes` counts the changes of its status that the feed told of. `note` is what is
 * remembered of it besides, as JSON, and `heldFrom` the network that it is held from.
 */
export const liveSeatTable = defineEntity({
  name: 'LiveSeat',
  tableName: 'live_seats',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    seat: p.integer().primary(),
    section: p.integer(),
    status: p.integer(),
    heldBy: p.string().$type<SessionId>().nullable(),
    soldTo: p.string().$type<SessionId>().nullable(),
    changes: p.integer(),
    heldFrom: p.string().$type<NetworkTag>().nullable(),
    note: p.string().nullable(),
  },
});

/** A buyer's hold; `claim` is the rest of it as JSON. */
export const liveHoldTable = defineEntity({
  name: 'LiveHold',
  tableName: 'live_holds',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    sessionId: p.string().$type<SessionId>().primary(),
    holdToken: p.bigint('number').$type<HoldToken>(),
    expiresAt: p.bigint('number'),
    claim: p.string(),
  },
});

/** A checkout without an outcome; `request` is what its payment request is made from, as JSON. */
export const liveCheckoutTable = defineEntity({
  name: 'LiveCheckout',
  tableName: 'live_checkouts',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    orderId: p.string().$type<OrderId>().primary(),
    sessionId: p.string().$type<SessionId>(),
    dueAt: p.bigint('number'),
    request: p.string(),
  },
});

/** The feed, without gaps. */
export const liveFeedTable = defineEntity({
  name: 'LiveFeedRecord',
  tableName: 'live_feed',
  properties: {
    showId: p.integer().$type<ShowId>().primary(),
    position: p.bigint('number').primary(),
    entries: p.string(),
  },
});

export type LiveSeatRow = InferEntity<typeof liveSeatTable>;
export type LiveHoldRow = InferEntity<typeof liveHoldTable>;
export type LiveCheckoutRow = InferEntity<typeof liveCheckoutTable>;

export const liveSeatTables = [
  liveShowTable,
  liveSeatTable,
  liveHoldTable,
  liveCheckoutTable,
  liveFeedTable,
] as const;
