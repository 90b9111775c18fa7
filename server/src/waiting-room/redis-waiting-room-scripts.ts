import { defineScript } from '../platform/lua-script.ts';
import { numberOf, type Packed, unpack } from '../platform/redis-packing.ts';

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
] as const;

export const roomSteps = defineScript<[lateScoreMin: number, steps: Packed]>()({
  file: lua('room-steps'),
  keys: BOOK,
  reply: unpack,
});

export const roomRanks = defineScript<[now: number, opensAt: number, sessions: readonly string[]]>()({
  file: lua('room-ranks'),
  keys: BOOK,
  reply: unpack,
});

export const admit = defineScript<
  [
    now: number,
    opensAt: number,
    perSecond: number,
    burst: number,
    admittedMax: number,
    lifetimeMs: number,
    claimMs: number,
    presenceMs: number,
  ]
>()({ file: lua('admit'), keys: BOOK, reply: numberOf });

export const expireRoom = defineScript<[now: number, opensAt: number, most: number]>()({
  file: lua('expire-room'),
  keys: BOOK,
  reply: numberOf,
});
