import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { Show } from '../../../src/catalog/show.ts';
import { type SessionId, sessionId, showId } from '../../../src/platform/ids.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import { benchDraft, benchLayout } from '../rigs/bench-show.ts';

/** What a reader wants to know of a way besides its figures. */
export interface Character {
  readonly name: string;
  /** How it is built. */
  readonly how: string;
  /** What more machines bring. */
  readonly scaling: string;
  /** What those do who come second. */
  readonly waiting: string;
  /** What is left when a process dies halfway. */
  readonly crash: string;
}

/** A way to give a seat to one of many who want it at the same time. */
export interface Strategy extends Character {
  /** Attempts of one measurement: enough for about a second. */
  readonly attempts: number;
  /** Every seat is free again, in a house that nobody has used. */
  reset(house: House): Promise<void>;
  /** Whether the session has the seat now. */
  attempt(session: number, seat: number): Promise<boolean>;
}

/** Where the seats are. */
export interface House {
  readonly show: Show;
  readonly rules: SeatRules;
}

const VENUE = { sections: 20, seatsPerSection: 1_000, seatsPerBuyer: 4 };
export const SEATS = VENUE.sections * VENUE.seatsPerSection;
const layout = benchLayout(VENUE);
const seatMap = seatMapOf(layout);

/** A house of its own for each measurement. */
export function newHouse(number: number): House {
  const { venue: _venue, ...draft } = benchDraft(VENUE, Date.now());
  const id = showId(number);
  const { seatsPerBuyer, holdLifetimeMs, extensionsMax } = draft.sale;
  return {
    show: { ...draft, id, layout, seatMap, drawSeed: '', paused: false },
    rules: {
      show: id,
      seatCount: SEATS,
      sectionOf: seatMap.sectionOf,
      sectionCount: VENUE.sections,
      seatsPerBuyer,
      seatsPerNetwork: Infinity,
      holdLifetimeMs,
      extensionsMax,
    },
  };
}

/** The id of a buyer, as long as real ones. */
export function buyerId(session: number): SessionId {
  return sessionId(`bench-buyer-${String(session).padStart(10, '0')}`);
}
