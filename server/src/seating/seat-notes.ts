import type { NetworkTag, SessionId } from '../platform/ids.ts';

// Seats are for buying, not for keeping from others [P7]. Whoever gives a seat back, or lets its time run out, leaves it
// to others for a while, longer each time in a row; from the second time on that holds for their whole network, so that
// a hundred sessions of one machine can't hand a seat round among themselves. `lua/seat-notes.lua` does the same.

/** Giving a seat back so soon after taking it is a change of mind, and free the first time. */
export const CHANGE_OF_MIND_MS = 10_000;
/** How long a seat is left to others first; doubled each time in a row. */
export const COOL_DOWN_MS = 30_000;
export const COOL_DOWN_MAX_MS = 600_000;
/** A seat that nobody took for so long after its cool-down is a seat like any other. */
export const NOTE_KEPT_MS = 600_000;

/** What a network may hold of a small show: behind one address may be a company, or a school. */
const SEATS_PER_NETWORK_MIN = 40;

/** How many seats of a show buyers of one network may hold together; what they have bought doesn't count. */
export function seatsPerNetwork(seatCount: number, percent: number): number {
  return Math.max(SEATS_PER_NETWORK_MIN, Math.floor((seatCount * percent) / 100));
}

/** Who takes a seat, and from where; null: a network without limits. */
export interface Taker {
  readonly session: SessionId;
  readonly network: NetworkTag | null;
}

/** What is remembered of a seat that somebody gave back. */
export interface SeatNote extends Taker {
  /** How often in a row by this session, or from this network. */
  readonly givenBack: number;
  /** Until then the seat is left to others. */
  readonly restsUntil: number;
}

/** Milliseconds for which a seat is still left to others than this one. */
export function restMs(note: SeatNote | undefined, taker: Taker, now: number): number {
  if (!note || !isSameParty(note, taker)) return 0;
  const isForAll = note.givenBack > 1 || note.session === taker.session;
  return isForAll ? Math.max(0, note.restsUntil - now) : 0;
}

/** How often in a row this one has given a seat back before taking it now. */
export function timesGivenBack(note: SeatNote | undefined, taker: Taker, now: number): number {
  const goesOn = note && isSameParty(note, taker) && now < note.restsUntil + NOTE_KEPT_MS;
  return goesOn ? note.givenBack : 0;
}

/**
 * The note of a seat that was given back, or whose time ran out.
 * @param taken when it was taken, and how often in a row this one had given it back before
 * @param at the instant: a hold counts as gone when its time runs out, swept or not
 */
export function noteGivenBack(
  { session, network }: Taker,
  taken: { readonly takenAt: number; readonly givenBack: number },
  at: number,
): SeatNote {
  const givenBack = taken.givenBack + 1;
  const isFree = givenBack === 1 && at - taken.takenAt <= CHANGE_OF_MIND_MS;
  const rest = isFree ? 0 : Math.min(COOL_DOWN_MAX_MS, COOL_DOWN_MS * 2 ** (givenBack - 1));
  return { session, network, givenBack, restsUntil: at + rest };
}

function isSameParty(note: Taker, taker: Taker): boolean {
  return note.session === taker.session || (note.network !== null && note.network === taker.network);
}
