import type { ShowId } from './ids.ts';

/** What Redis keeps of a show, and how. Scripts write `KEY.hold_deadlines` for `hold-deadlines`. */
export type ShowKey =
  /** Hash: epoch, fence (the highest token), fed (number of the last feed entry), sections, replication (of whom). */
  | 'meta'
  /** String: the status of each seat, one byte a seat. */
  | 'seats'
  /** Hash: session → its hold, packed (`lua/hold-book.lua`). */
  | 'holds'
  /** Hash: session → seats it has bought. */
  | 'bought'
  /** Sorted set: session by the instant its hold ends. */
  | 'hold-deadlines'
  /** Hash: order id → its checkout while that has no outcome, packed (`lua/hold-book.lua`). */
  | 'unsettled'
  /** Sorted set: those order ids by the instant at which somebody has to look after them. */
  | 'unsettled-due'
  /** Hash: seat → who gave it back last, packed (`lua/seat-notes.lua`). */
  | 'rested-seats'
  /** Hash: network → seats held from there. */
  | 'networks'
  /** Stream: what each step changed, packed (`lua/write-feed.lua`). */
  | 'feed'
  /** Hash: number of an entry, statuses and sequences after it. */
  | 'checkpoint'
  /** Names of the forms before this one: deleted where they are found. */
  | 'buyers'
  | 'hold-owners'
  | 'seat-holds'
  | 'seat-notes'
  | 'checkouts'
  | 'checkouts-due'
  | 'sections'
  /** Hash: name, draw-closed, last-late, tokens and filled-at of the bucket, fallen-out, restoring-since. */
  | 'room'
  /** Sorted set: waiting session by score. */
  | 'waiting'
  /** Sorted set: absent waiting session by the instant its place ends. */
  | 'place-ends'
  /** Sorted set: waiting session by the instant its presence was last told. */
  | 'seen'
  /** Sorted set: session by the instant its admission ends. `take-steps.lua` looks here. */
  | 'admitted'
  /** Hash: session → its admission's deadline, and whether it waits to be claimed. */
  | 'admissions'
  /** Sorted set: session that fell out by when (a counter) and why (`lua/room-steps.lua`). */
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
  return keysOfShow(show)(key);
}

/** What the keys that a script's header names are called for a show. */
export function keysOfShow(show: ShowId): (key: string) => string {
  return (key) => `{show:${show}}:${key}`;
}
