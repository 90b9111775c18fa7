import { defineScript } from '../platform/lua-script.ts';
import { numberOf, type Packed, unpack } from '../platform/redis-packing.ts';

/** A chosen instant, or `false`: Redis's own clock tells the time. */
type Given = number | false;

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

const BOOK = [
  'meta',
  'feed',
  'room',
  'waiting',
  'place-ends',
  'seen',
  'admitted',
  'admissions',
  'outside',
  'place-networks',
  'network-places',
  'restored',
] as const;

export const roomSteps = defineScript<[given: Given, lateScoreMin: number, newName: string, steps: Packed]>()(
  {
    file: lua('room-steps'),
    keys: BOOK,
    reply: unpack,
  },
);

export const roomRanks = defineScript<[given: Given, opensAt: number, sessions: readonly string[]]>()({
  file: lua('room-ranks'),
  keys: BOOK,
  reply: unpack,
});

export const admit = defineScript<
  [
    given: Given,
    opensAt: number,
    perSecond: number,
    burst: number,
    admittedMax: number,
    lifetimeMs: number,
    claimMs: number,
    presenceMs: number,
    restoringMs: number,
  ]
>()({ file: lua('admit'), keys: BOOK, reply: numberOf });

export const expireRoom = defineScript<
  [given: Given, opensAt: number, graceMs: number, lifetimeMs: number, most: number]
>()({ file: lua('expire-room'), keys: BOOK, reply: numberOf });

export const admittedCount = defineScript<[given: Given]>()({
  file: lua('admitted-count'),
  keys: ['admitted'],
  reply: numberOf,
});
