import { defineScript } from '../platform/lua-script.ts';
import { numberOf, type Packed, unpack } from '../platform/redis-packing.ts';

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

/** What every step that may change a hold touches. */
const BOOK = [
  'meta',
  'seats',
  'seat-holds',
  'buyers',
  'bought',
  'hold-owners',
  'hold-deadlines',
  'feed',
] as const;

/** A step answers nil where Redis has no history of the show. */
const unlessLost =
  <T>(read: (raw: unknown) => T) =>
  (raw: unknown): T | null =>
    raw === null ? null : read(raw);

export const openSeats = defineScript<
  [
    now: number,
    newEpoch: number,
    seatCount: number,
    sectionCount: number,
    sections: Uint8Array,
    holdLifetimeMs: number,
    extensionsMax: number,
    sold: Packed,
    checkouts: Packed,
  ]
>()({ file: lua('open-seats'), keys: [...BOOK, 'checkpoint', 'sections'], reply: numberOf });

export const holdSeats = defineScript<
  [
    now: number,
    seatCount: number,
    seatsPerBuyer: number,
    holdLifetimeMs: number,
    extensionsMax: number,
    requests: Packed,
  ]
>()({ file: lua('hold-seats'), keys: [...BOOK, 'admitted'], reply: unlessLost(unpack) });

export const holdSteps = defineScript<[steps: Packed]>()({
  file: lua('hold-steps'),
  keys: BOOK,
  reply: unlessLost(unpack),
});

export const abandonCheckout = defineScript<[now: number, session: string, orderId: string]>()({
  file: lua('abandon-checkout'),
  keys: BOOK,
  reply: unlessLost(numberOf),
});

export const settleOrders = defineScript<[now: number, settlements: Packed]>()({
  file: lua('settle-orders'),
  keys: BOOK,
  reply: unlessLost(numberOf),
});

export const expireHolds = defineScript<[now: number, most: number]>()({
  file: lua('expire-holds'),
  keys: BOOK,
  reply: unlessLost(numberOf),
});
