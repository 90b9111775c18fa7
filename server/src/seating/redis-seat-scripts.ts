import { defineScript } from '../platform/lua-script.ts';
import { listOf, numberOf, type Packed } from '../platform/redis-packing.ts';

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

/** What every step that may change a hold touches. */
const BOOK = [
  'meta',
  'seats',
  'holds',
  'bought',
  'hold-deadlines',
  'feed',
  'unsettled',
  'unsettled-due',
  'rested-seats',
  'networks',
] as const;

/** What the version before this one kept beside it. */
const FORMER = ['buyers', 'hold-owners', 'seat-holds', 'seat-notes', 'checkouts', 'checkouts-due'] as const;

/** The time of a step: `false` for Redis's own, or an instant that a test has chosen. */
export type GivenInstant = number | false;

/** A step answers nil where Redis has no history of the show. */
const unlessLost =
  <T>(read: (raw: unknown) => T) =>
  (raw: unknown): T | null =>
    raw === null ? null : read(raw);

export const isOpen = defineScript<[]>()({
  file: lua('is-open'),
  keys: ['meta', 'seats'],
  reply: (raw) => numberOf(raw) === 1,
});

export const openSeats = defineScript<
  [
    given: GivenInstant,
    knownEpoch: number,
    random: number,
    seatCount: number,
    sectionCount: number,
    sections: Uint8Array,
    holdLifetimeMs: number,
    extensionsMax: number,
    settledWithinMs: number,
    sold: Packed,
    checkouts: Packed,
  ]
>()({ file: lua('open-seats'), keys: [...BOOK, 'checkpoint', 'sections', ...FORMER], reply: numberOf });

export const takeSteps = defineScript<
  [given: GivenInstant, terms: Uint8Array, ...sessionsAndSteps: Uint8Array[]]
>()({ file: lua('take-steps'), keys: [...BOOK, 'admitted'], reply: unlessLost(listOf) });

export const readHolds = defineScript<[given: GivenInstant, sessions: Packed]>()({
  file: lua('read-holds'),
  keys: ['holds'],
  reply: listOf,
});

export const overdueCheckouts = defineScript<[given: GivenInstant, againMs: number, most: number]>()({
  file: lua('overdue-checkouts'),
  keys: BOOK,
  reply: unlessLost(listOf),
});

export const settleOrders = defineScript<[given: GivenInstant, settlements: Packed]>()({
  file: lua('settle-orders'),
  keys: BOOK,
  reply: unlessLost(numberOf),
});

export const mendSeats = defineScript<[given: GivenInstant, sold: Packed, unsold: Packed, counts: Packed]>()({
  file: lua('mend-seats'),
  keys: BOOK,
  reply: unlessLost(numberOf),
});

export const expireHolds = defineScript<[given: GivenInstant, most: number]>()({
  file: lua('expire-holds'),
  keys: BOOK,
  reply: unlessLost(numberOf),
});
