import type { NetworkTag, SeatIndex, SessionId } from '../platform/ids.ts';

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

/** What is remembered of a seat besides its status. */
export interface SeatNote extends Taker {
  readonly takenAt: number;
  /** How often in a row it was given back by this session, or from this network. */
  readonly givenBack: number;
  /** Until then it is left to others. */
  readonly restsUntil: number;
  readonly isHeld: boolean;
}

/** The notes of the seats of one show, or of those that one step touches. */
export class SeatNotes {
  readonly #notes = new Map<SeatIndex, SeatNote>();
  readonly #heldFrom = new Map<NetworkTag, number>();

  /** Enters what is known of a seat, silently. */
  enter(seat: SeatIndex, note: SeatNote): void {
    this.#notes.set(seat, note);
  }

  /** Enters how many seats are held from a network, silently. */
  enterHeld(network: NetworkTag, count: number): void {
    this.#heldFrom.set(network, count);
  }

  of(seat: SeatIndex): SeatNote | undefined {
    return this.#notes.get(seat);
  }

  /** How many seats buyers of one network hold. */
  heldFrom(network: NetworkTag): number {
    return this.#heldFrom.get(network) ?? 0;
  }

  /** Milliseconds for which a seat is still left to others than this one. */
  restMs(seat: SeatIndex, taker: Taker, now: number): number {
    const note = this.#notes.get(seat);
    if (!note || note.isHeld || !isSameParty(note, taker)) return 0;
    const isForAll = note.givenBack > 1 || note.session === taker.session;
    return isForAll ? Math.max(0, note.restsUntil - now) : 0;
  }

  take(seat: SeatIndex, { session, network }: Taker, now: number): void {
    const before = this.#notes.get(seat);
    const goesOn =
      before && isSameParty(before, { session, network }) && now < before.restsUntil + NOTE_KEPT_MS;
    const givenBack = goesOn ? before.givenBack : 0;
    this.#notes.set(seat, { session, network, takenAt: now, givenBack, restsUntil: 0, isHeld: true });
    if (network !== null) this.#heldFrom.set(network, this.heldFrom(network) + 1);
  }

  /** A seat was given back, or its time ran out, at an instant: a hold counts as gone then, swept or not. */
  giveBack(seat: SeatIndex, at: number): void {
    const note = this.#end(seat);
    if (!note) return;
    const givenBack = note.givenBack + 1;
    const isFree = givenBack === 1 && at - note.takenAt <= CHANGE_OF_MIND_MS;
    const restMs = isFree ? 0 : Math.min(COOL_DOWN_MAX_MS, COOL_DOWN_MS * 2 ** (givenBack - 1));
    this.#notes.set(seat, { ...note, givenBack, restsUntil: at + restMs, isHeld: false });
  }

  /** A seat was sold, or taken from who held it: nobody hoards it. */
  drop(seat: SeatIndex): void {
    if (this.#end(seat)) this.#notes.delete(seat);
  }

  /** The note of a seat that is held, which counts no more. */
  #end(seat: SeatIndex): SeatNote | undefined {
    const note = this.#notes.get(seat);
    if (!note?.isHeld) return undefined;
    if (note.network !== null) this.#heldFrom.set(note.network, this.heldFrom(note.network) - 1);
    return note;
  }
}

function isSameParty(note: Taker, taker: Taker): boolean {
  return note.session === taker.session || (note.network !== null && note.network === taker.network);
}
