import { performance } from 'node:perf_hooks';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { Show } from '../../../src/catalog/show.ts';
import { type SessionId, sessionId, showId } from '../../../src/platform/ids.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import { percentile } from '../statistics.ts';
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

/** With no common divisor with the number of seats: neighbours in time are far apart in the house. */
const STRIDE = 7_919;
const HOT_SEAT = 4_711;
const MS_PER_SECOND = 1_000;

export type Wish = 'random' | 'hot';

/** Attempts a second, and how long one takes in milliseconds. */
export interface Contest {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * Attempts of many buyers who come at once, each in a house where every seat is free, and each for a seat of their own
 * or all for the same one.
 * @param atOnce attempts under way at a time
 * @throws Error if a seat had two holders, or one that nobody wanted twice had none
 */
export async function attemptsPerSecond(
  strategy: Strategy,
  wish: Wish,
  { house, attempts, atOnce }: { house: number; attempts: number; atOnce: number },
): Promise<Contest> {
  await strategy.reset(newHouse(house));
  let next = 0;
  let won = 0;
  const latencies = new Float64Array(attempts);
  const buy = async (): Promise<void> => {
    while (next < attempts) {
      const session = next++;
      const seat = wish === 'hot' ? HOT_SEAT : (session * STRIDE) % SEATS;
      const clickedAt = performance.now();
      if (await strategy.attempt(session, seat)) won += 1;
      latencies[session] = performance.now() - clickedAt;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, buy));
  const seconds = (performance.now() - startedAt) / MS_PER_SECOND;
  const expected = wish === 'hot' ? 1 : attempts;
  if (won !== expected) throw new Error(`${strategy.name}: ${won} got a seat, not ${expected} (${wish})`);
  latencies.sort();
  return { perSecond: attempts / seconds, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}
