import type { ShowId } from './ids.ts';

/** What Redis keeps of a show, and how. Scripts write `KEY.hold_owners` for `hold-owners`. */
export type ShowKey =
  /** Hash: epoch, fence (the highest token), fed (number of the last feed entry), sections, replication (of whom). */
  | 'meta'
  /** String: the status of each seat, one byte a seat. */
  | 'seats'
  /** String: 64 bits a seat, the token of the hold that last took it; means something while the seat is held. */
  | 'seat-holds'
  /** Hash: session → its hold, packed (`lua/hold-book.lua`). */
  | 'buyers'
  /** Hash: session → seats it has bought. */
  | 'bought'
  /** Hash: hold token → session. */
  | 'hold-owners'
  /** Sorted set: session by the instant its hold ends. */
  | 'hold-deadlines'
  /** Hash: order id → its checkout while that has no outcome, packed (`lua/hold-book.lua`). */
  | 'checkouts'
  /** Sorted set: those order ids by the instant at which somebody has to look after them. */
  | 'checkouts-due'
  /** Hash: seat → who took it last, packed (`lua/seat-notes.lua`). */
  | 'seat-notes'
  /** Hash: network → seats held from there. */
  | 'networks'
  /** Stream: what each step changed, packed (`lua/write-feed.lua`). */
  | 'feed'
  /** Hash: number of an entry, statuses and sequences after it. */
  | 'checkpoint'
  /** String: the section of each seat, 16 bits a seat. */
  | 'sections'
  /** Hash: name, draw-closed, last-late, tokens and filled-at of the bucket, fallen-out, restoring-since. */
  | 'room'
  /** Sorted set: waiting session by score. */
  | 'waiting'
  /** Sorted set: absent waiting session by the instant its place ends. */
  | 'place-ends'
  /** Sorted set: waiting session by the instant its presence was last told. */
  | 'seen'
  /** Sorted set: session by the instant its admission ends. `hold-seats.lua` looks here. */
  | 'admitted'
  /** Hash: session → its admission's deadline, and whether it waits to be claimed. */
  | 'admissions'
  /** Sorted set: session that fell out by when (a counter) and why (`lua/waiting-book.lua`). */
  | 'outside'
  /** Hash: session with a place or admission → network tag. */
  | 'place-networks'
  /** Hash: network tag → its places and admissions. */
  | 'network-places'
  /** Set: session that was given a place of an earlier room back. */
  | 'restored';

/**
 * The name of one of a show's keys. All of a show carry the same hash tag: a script may touch them together, and
 * Redis Cluster shards by show.
 */
export function showKey(show: ShowId, key: ShowKey): string {
  return `{show:${show}}:${key}`;
}

/** How a script's declared keys are named for a show. */
export function keysOfShow(show: ShowId): (key: ShowKey) => string {
  return (key) => showKey(show, key);
}
