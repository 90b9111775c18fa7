import { Packr } from 'msgpackr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeCodes } from '@stampede/shared/protocol/codes.ts';
import { encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import { clientMessages, type ClientMessage } from '@stampede/shared/protocol/messages.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import { type AppStand, startAppStand } from './app-stand.ts';
import type { PlainSocket } from './app-stand-socket.ts';

const SEED = 4_711;
const FRAMES = 6_000;
/** Sockets end after a few refused frames: some are given fewer, and left. */
const FRAMES_PER_SOCKET_MAX = 40;
const FRAME_BYTES = 200;
const DEPTH_MAX = 6;

const random = seededRandom(SEED);
const packr = new Packr({ useRecords: false });
const opcodes = Object.values(clientMessages).map(({ opcode }) => opcode);

let stand: AppStand;
beforeAll(async () => {
  stand = await startAppStand({ shows: [{}, { sectionSeats: [10] }] });
});
afterAll(async () => {
  await stand.stop();
  expect(stand.errors).toEqual([]);
});

const below = (count: number): number => Math.floor(random() * count);
const oneOf = <T>(values: readonly T[]): T => values[below(values.length)]!;

/** Values of every kind that MessagePack has, at the edges of what numbers can be. */
function anyValue(depth = 0): unknown {
  const kind = below(depth < DEPTH_MAX ? 11 : 8);
  switch (kind) {
    case 0:
      return below(300);
    case 1:
      return oneOf([-1, 0.5, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, NaN, -Infinity]);
    case 2:
      return oneOf([null, true, false, undefined]);
    case 3:
      return 'x'.repeat(below(70));
    case 4:
      return randomBytes(below(40));
    case 5:
      return new Date(below(2 ** 31) * 1_000);
    case 6:
      return /regular/;
    case 7:
      return 2n ** 63n;
    case 8:
    case 9:
      return Array.from({ length: below(40) }, () => anyValue(depth + 1 + below(DEPTH_MAX)));
    default:
      return { __proto__: null, constructor: anyValue(depth + 1), length: below(9) };
  }
}

function randomBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(256));
}

/** Well-formed messages with numbers that may or may not mean something here. */
function anyMessage(): ClientMessage {
  const requestId = 1 + below(1_000);
  const seats = [...new Set(Array.from({ length: 1 + below(6) }, () => below(130)))];
  const holdToken = oneOf([0, below(1_000), stand.clock.now() + below(50), 2 ** 53 - 1]);
  return oneOf<() => ClientMessage>([
    () => ({ type: 'enter', requestId, show: below(4) + 1 }),
    () => ({ type: 'join', requestId, receipt: null }),
    () => ({ type: 'leave', requestId }),
    () => ({ type: 'hold', requestId, seats }),
    () => ({ type: 'extend', requestId, holdToken }),
    () => ({ type: 'release', requestId, holdToken, seats }),
    () => ({
      type: 'checkout',
      requestId,
      holdToken,
      idempotencyKey: `fuzz-${below(99)}-key`,
      amount: below(3) * 1_000,
    }),
    () => ({ type: 'orders', requestId }),
    () => ({ type: 'ping', requestId }),
    () => ({
      type: 'watch',
      requestId,
      sections: [{ section: below(5), epoch: below(3), sequence: below(9) }],
    }),
    () => ({ type: 'acknowledge', sections: [{ section: below(5), sequence: below(2 ** 31) }] }),
    () => ({ type: 'authenticate', requestId, bearer: stand.newSession().bearer }),
  ])();
}

function mutated(frame: Uint8Array, chance: Random): Uint8Array {
  const copy = frame.slice();
  const flips = 1 + Math.floor(chance() * 4);
  for (let flip = 0; flip < flips; flip++) copy[below(copy.length)] = below(256);
  return chance() < 0.3 ? copy.subarray(0, below(copy.length)) : copy;
}

function anyFrame(): Uint8Array {
  switch (below(6)) {
    case 0:
      return randomBytes(below(FRAME_BYTES));
    case 1:
      return packr.pack([oneOf(opcodes), ...Array.from({ length: below(6) }, () => anyValue())]);
    case 2:
      return packr.pack(anyValue());
    case 3:
      return mutated(encodeClientMessage(anyMessage()), random);
    default:
      return encodeClientMessage(anyMessage());
  }
}

async function abuse(socket: PlainSocket): Promise<void> {
  const frames = 1 + below(FRAMES_PER_SOCKET_MAX);
  for (let frame = 0; frame < frames; frame++) socket.send(anyFrame());
  await stand.pass(100);
  await (random() < 0.5 ? socket.cut() : socket.close());
}

test(`any frames in any order (seed ${SEED}): no crash, no error, nothing left behind, and the next buyer buys`, async () => {
  const codes = new Map<number | null, number>();
  for (let frames = 0; frames < FRAMES; frames += 5 * FRAMES_PER_SOCKET_MAX) {
    const sockets = await Promise.all(
      [1, 2, 3, 4, 5].map(() => (random() < 0.2 ? stand.anonymousSocket() : stand.socket())),
    );
    await Promise.all(sockets.map(abuse));
    for (const { closeCode } of sockets) codes.set(closeCode, (codes.get(closeCode) ?? 0) + 1);
  }
  // Both ends of what a server may do were reached: it went on to the end, and it had enough.
  expect(codes.get(closeCodes['protocol-violation'])).toBeGreaterThan(0);
  expect(codes.size).toBeGreaterThan(1);
  await stand.until('nobody left', () => stand.socketCount === 0);
  for (const index of [0, 1]) {
    expect(stand.sale(index).sessionCount).toBe(0);
    expect(stand.sale(index).positions.size).toBe(0);
  }

  const seat = 119;
  const buyer = await stand.shopper();
  expect(await stand.during(buyer.hold([seat]))).toMatchObject({ ok: true });
  await stand.during(buyer.checkout({ idempotencyKey: 'after-the-storm', amount: 2_000 }));
  await stand.until('a ticket', () =>
    [...buyer.view.orders.values()].some(({ tickets }) => tickets.length === 1),
  );
});
