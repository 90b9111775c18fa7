import { defineScript } from '../platform/lua-script.ts';
import { numberOf, unpack } from '../platform/redis-packing.ts';

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

export const joinRoom = defineScript<
  [now: number, opensAt: number, session: string, drawScore: number, lateScoreMin: number, queueMax: number]
>()({ file: lua('join-room'), keys: BOOK, reply: unpack });

export const leaveRoom = defineScript<[now: number, opensAt: number, session: string, reason: string]>()({
  file: lua('leave-room'),
  keys: BOOK,
  reply: unpack,
});

export const roomStanding = defineScript<[now: number, opensAt: number, session: string]>()({
  file: lua('room-standing'),
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

export const setPresent = defineScript<
  [
    now: number,
    opensAt: number,
    sessions: readonly string[],
    present: boolean,
    graceMs: number,
    admissionLifetimeMs: number,
  ]
>()({ file: lua('set-present'), keys: BOOK, reply: numberOf });
