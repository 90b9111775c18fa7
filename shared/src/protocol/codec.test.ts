import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { encodeSectionDelta } from '../seat-map/section-delta.ts';
import type { SeatStatus } from '../seat-map/seat-status.ts';
import { seededRandom } from '../platform/random.ts';
import { decodeClientFrame, decodeServerFrame, encodeClientMessage, encodeServerMessage } from './codec.ts';
import {
  BEARER_LENGTH_MAX,
  FRAME_BYTES_HARD_MAX,
  FRAME_BYTES_MAX,
  IDEMPOTENCY_KEY_LENGTH_MAX,
  SEATS_PER_REQUEST_MAX,
  SEATS_PER_SHOW_MAX,
  SECTIONS_PER_SHOW_MAX,
  SECTIONS_WATCHED_MAX,
} from './limits.ts';
import type { ClientMessage } from './messages.ts';
import { isPlainFrame } from './plain-frame.ts';
import { anyClientMessage, anyServerMessage } from './testing/message-arbitraries.ts';

const UINT32_MAX = 2 ** 32 - 1;
const packr = new Packr({ useRecords: false });
const pack = (value: unknown): Uint8Array => Uint8Array.from(packr.pack(value));
function refusalOf(value: unknown): string {
  const decoded = decodeClientFrame(value instanceof Uint8Array ? value : pack(value));
  return decoded.ok ? 'accepted' : decoded.code;
}

describe('codec', () => {
  test('1.4 every client message survives the wire, and fits its frame', () => {
    fc.assert(
      fc.property(anyClientMessage, (message) => {
        const frame = encodeClientMessage(message);
        expect(frame.length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
        expect(decodeClientFrame(frame)).toEqual({ ok: true, message });
      }),
      { numRuns: 1_000 },
    );
  });

  test('1.4 every server message survives the wire', () => {
    fc.assert(
      fc.property(anyServerMessage, (message) => {
        const frame = Uint8Array.from(encodeServerMessage(message));
        expect(decodeServerFrame(frame)).toEqual({ ok: true, message });
      }),
      { numRuns: 1_000 },
    );
  });

  test('a frame stays as it is when others are encoded after it', () => {
    fc.assert(
      fc.property(fc.array(anyServerMessage, { minLength: 2, maxLength: 20 }), (messages) => {
        const frames = messages.map((one) => encodeServerMessage(one));
        const copies = frames.map((frame) => Uint8Array.from(frame));
        for (const one of messages) encodeServerMessage(one);
        expect(frames.map((frame) => Uint8Array.from(frame))).toEqual(copies);
      }),
    );
  });
});

describe('strange frames', () => {
  const codes = ['malformed', 'unknown-message', 'too-large'];

  test('[P7] random bytes are refused by type, never by a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = decodeClientFrame(bytes);
        if (!decoded.ok) expect(codes).toContain(decoded.code);
        decodeServerFrame(bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  test('[P7] mutated frames are read or refused by type', () => {
    fc.assert(
      fc.property(
        anyClientMessage,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(3),
        (message, edits, cut) => {
          const frame = Uint8Array.from(encodeClientMessage(message));
          for (const [at, byte] of edits) frame[at % frame.length] = byte;
          const decoded = decodeClientFrame(frame.subarray(0, frame.length - cut));
          if (!decoded.ok) expect(codes).toContain(decoded.code);
          else if (!('sections' in decoded.message)) expect(decoded.message.requestId).toBeGreaterThan(0);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('[P7] mutated server frames are read or found unreadable', () => {
    fc.assert(
      fc.property(anyServerMessage, fc.nat(), fc.nat(255), (message, at, byte) => {
        const frame = Uint8Array.from(encodeServerMessage(message));
        frame[at % frame.length] = byte;
        expect(typeof decodeServerFrame(frame).ok).toBe('boolean');
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['an empty frame', new Uint8Array(0)],
    ['two values', Uint8Array.of(0x92, 0x03, 0x01, 0x92, 0x03, 0x01)],
    ['a map', pack({ opcode: 3 })],
    ['a number', pack(3)],
    ['nil', pack(null)],
    ['a date', pack([0x03, new Date(0)])],
    ['a regular expression', Uint8Array.of(0x92, 0x03, 0xd4, 0x78, 0x00, 0x92, 0xa1, 0x61, 0xa0)],
    ['a record definition', Uint8Array.of(0x92, 0x03, 0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01)],
    [
      'a record definition of two bytes',
      Uint8Array.of(0x92, 0x03, 0xd5, 0x72, 0x40, 0x00, 0x91, 0xa1, 0x61, 0x01),
    ],
    ['an error', Uint8Array.of(0x92, 0x03, 0xd4, 0x65, 0x00, 0x92, 0xa1, 0x61, 0xa1, 0x62)],
    ['an array of four billion', Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff, 0x03)],
    ['a text of four gigabytes', Uint8Array.of(0x92, 0x03, 0xdb, 0xff, 0xff, 0xff, 0xff)],
    ['a cut-off number', Uint8Array.of(0x92, 0x03, 0xcd, 0x01)],
    ['the byte that MessagePack never uses', Uint8Array.of(0x92, 0x03, 0xc1)],
    ['arrays nested to the brim', new Uint8Array(FRAME_BYTES_MAX).fill(0x91)],
    ['a message with an array too deep', pack([0x08, 1, 1, [[[[[1]]]]]])],
  ])('[P7] %s is malformed', (_name, frame) => {
    expect(refusalOf(frame)).toBe('malformed');
  });

  test('1.4 a text that is no UTF-8, or has lone surrogates, is malformed, wherever it stands', () => {
    const notUtf8 = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 60 }).filter((bytes) => !isUtf8(bytes)),
      // A surrogate as its three bytes, which is how careless encoders write half of a pair.
      fc
        .tuple(
          fc.string({ maxLength: 20 }),
          fc.integer({ min: 0xd800, max: 0xdfff }),
          fc.string({ maxLength: 20 }),
        )
        .map(([before, half, after]) =>
          Buffer.concat([
            Buffer.from(before),
            Buffer.of(0xe0 | (half >> 12), 0x80 | ((half >> 6) & 0x3f), 0x80 | (half & 0x3f)),
            Buffer.from(after),
          ]),
        ),
    );
    fc.assert(
      fc.property(notUtf8, (text) => {
        const head = [0xd9, text.length];
        const authenticate = Uint8Array.of(0x93, 0x01, 0x01, ...head, ...text);
        const checkout = Uint8Array.of(0x95, 0x09, 0x07, 0x2a, ...head, ...text, 0x01);
        const long = Uint8Array.of(0x93, 0x01, 0x01, 0xda, 0, text.length, ...text);
        for (const frame of [authenticate, checkout, long]) expect(refusalOf(frame)).toBe('malformed');
        if (text.length < 32) {
          expect(refusalOf(Uint8Array.of(0x93, 0x01, 0x01, 0xa0 | text.length, ...text))).toBe('malformed');
        }
      }),
    );
    expect(refusalOf(pack([0x01, 1, 'Köln 서울 🎟']))).toBe('accepted');
  });

  test('1.3 a frame of more than 1 KiB is too large', () => {
    expect(refusalOf(new Uint8Array(FRAME_BYTES_MAX + 1))).toBe('too-large');
  });

  test('1.5 an opcode that is not in the table, or of the other direction, is an unknown message', () => {
    expect(refusalOf([0x3f, 1])).toBe('unknown-message');
    expect(refusalOf([0x40, 1, 1])).toBe('unknown-message');
    expect(refusalOf(['join', 1])).toBe('unknown-message');
    expect(refusalOf([])).toBe('unknown-message');
  });

  test('3.2 a refusal names the request where the frame tells it', () => {
    expect(decodeClientFrame(pack([0x06, 77, 'seats']))).toMatchObject({ ok: false, requestId: 77 });
    expect(decodeClientFrame(pack([0x06, -77, 'seats']))).toMatchObject({ ok: false, requestId: 0 });
    expect(decodeClientFrame(pack([0x77, 77]))).toMatchObject({ ok: false, requestId: 77 });
  });

  test('3.2 a message without a number is refused under 0, whatever stands in its place', () => {
    expect(decodeClientFrame(pack([0x0c, [1]]))).toMatchObject({ ok: false, requestId: 0 });
    expect(decodeClientFrame(pack([0x0c, 5]))).toMatchObject({ ok: false, requestId: 0 });
    expect(decodeClientFrame(pack([0x0c, 5, []]))).toMatchObject({ ok: false, requestId: 0 });
  });

  test('every plain value of MessagePack is told from the rest as the decoder tells it', () => {
    const plain = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.maxSafeInteger(),
        fc.double(),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        tie('list'),
      ),
      list: fc.array(tie('value'), { maxLength: 40 }),
    })).value;
    fc.assert(
      fc.property(plain, (value) => {
        expect(isPlainFrame(pack(value))).toBe(true);
        expect(isPlainFrame(pack({ value }))).toBe(false);
      }),
    );
  });
});

describe('bounds', () => {
  const seats = Array.from({ length: SEATS_PER_REQUEST_MAX }, (_, index) => SEATS_PER_SHOW_MAX - 1 - index);
  const sections = Array.from({ length: SECTIONS_WATCHED_MAX }, (_, index) => ({
    section: SECTIONS_PER_SHOW_MAX - 1 - index,
    epoch: UINT32_MAX,
    sequence: UINT32_MAX,
  }));
  const requestId = UINT32_MAX;
  const holdToken = Number.MAX_SAFE_INTEGER;
  const largest: ClientMessage[] = [
    { type: 'authenticate', requestId, bearer: 'b'.repeat(BEARER_LENGTH_MAX) },
    { type: 'watch', requestId, sections },
    { type: 'hold', requestId, seats },
    { type: 'release', requestId, holdToken, seats },
    {
      type: 'checkout',
      requestId,
      holdToken,
      idempotencyKey: 'k'.repeat(IDEMPOTENCY_KEY_LENGTH_MAX),
      amount: holdToken,
    },
    { type: 'acknowledge', sections },
  ];

  test.each(largest)('9.1 the largest $type fits a frame', (message) => {
    expect(encodeClientMessage(message).length).toBeLessThanOrEqual(FRAME_BYTES_MAX);
    expect(decodeClientFrame(encodeClientMessage(message)).ok).toBe(true);
  });

  test('9.1 what is too large is refused before the socket is cut', () => {
    expect(FRAME_BYTES_MAX).toBeLessThan(FRAME_BYTES_HARD_MAX);
  });

  test.each([
    ['request id 0', [0x03, 0]],
    ['a request id past 32 bits', [0x03, 2 ** 32]],
    ['a request id that is no whole number', [0x03, 1.5]],
    ['a request id in words', [0x03, '1']],
    ['no fields', [0x03]],
    ['a field too many', [0x03, 1, 1]],
    ['no seats', [0x06, 1, []]],
    ['a seat twice', [0x06, 1, [5, 6, 5]]],
    ['a negative seat', [0x06, 1, [-1]]],
    ['a seat past every show', [0x06, 1, [SEATS_PER_SHOW_MAX]]],
    [
      'seats past the bound',
      [0x06, 1, Array.from({ length: SEATS_PER_REQUEST_MAX + 1 }, (_, index) => index)],
    ],
    [
      'a section twice',
      [
        0x05,
        1,
        [
          [3, 0, 0],
          [3, 1, 1],
        ],
      ],
    ],
    ['a section past every show', [0x05, 1, [[SECTIONS_PER_SHOW_MAX, 0, 0]]]],
    ['a section without its epoch', [0x05, 1, [[3, 0]]]],
    [
      'sections past the bound',
      [0x05, 1, Array.from({ length: SECTIONS_WATCHED_MAX + 1 }, (_, at) => [at, 0, 0])],
    ],
    ['a short idempotency key', [0x09, 1, 1, 'short', 100]],
    ['a long idempotency key', [0x09, 1, 1, 'k'.repeat(IDEMPOTENCY_KEY_LENGTH_MAX + 1), 100]],
    ['an idempotency key with a NUL', [0x09, 1, 1, 'a-key\0-of-mine', 100]],
    ['an idempotency key with a space at its end', [0x09, 1, 1, 'a-key-of-mine ', 100]],
    ['an idempotency key beyond ASCII', [0x09, 1, 1, 'schlüssel', 100]],
    ['an idempotency key with half a character', [0x09, 1, 1, 'a-key-of-mine\ud83c', 100]],
    ['a negative amount', [0x09, 1, 1, 'long-enough', -100]],
    ['an empty bearer', [0x01, 1, '']],
    ['a bearer that is too long', [0x01, 1, 'b'.repeat(BEARER_LENGTH_MAX + 1)]],
  ])('[P7] %s is malformed', (_name, frame) => {
    expect(refusalOf(frame)).toBe('malformed');
  });

  test('1.4 whole numbers are read whichever way MessagePack writes them', () => {
    const asUint64 = Uint8Array.of(0x92, 0x04, 0xcf, 0, 0, 0, 0, 0, 0, 0, 9);
    const asFloat64 = Uint8Array.of(0x92, 0x04, 0xcb, 0x40, 0x22, 0, 0, 0, 0, 0, 0);
    const expected = { ok: true, message: { type: 'leave', requestId: 9 } };
    expect(decodeClientFrame(asUint64)).toEqual(expected);
    expect(decodeClientFrame(asFloat64)).toEqual(expected);
    expect(
      refusalOf(Uint8Array.of(0x93, 0x07, 0x01, 0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
    ).toBe('malformed');
  });
});

describe('byte budget', () => {
  /** RFC 6455: two bytes up to 125 bytes from a server, four up to 64 KiB. */
  const onTheWire = (frame: Uint8Array): number => frame.length + (frame.length <= 125 ? 2 : 4);
  const deltaBytes = (
    section: number,
    sequence: number,
    changes: { seat: number; status: SeatStatus }[],
  ): number =>
    onTheWire(
      encodeServerMessage({ type: 'delta', section, sequence, changes: encodeSectionDelta(changes) }),
    );

  test('5.4 one seat of a section below 128, sequence below 65,536, costs at most 12 bytes', () => {
    fc.assert(
      fc.property(
        fc.nat(127),
        fc.nat(65_535),
        fc.nat(4_095),
        fc.nat(3),
        (section, sequence, seat, status) => {
          // `nat(3)` is exactly the four statuses.
          expect(deltaBytes(section, sequence, [{ seat, status: status as SeatStatus }])).toBeLessThanOrEqual(
            12,
          );
        },
      ),
    );
  });

  test('5.4 32 changes in a section of 500 seats cost at most 4 bytes each', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 200; round++) {
      const changes = Array.from({ length: 32 }, () => ({
        seat: Math.floor(random() * 500),
        status: 1 as const,
      }));
      expect(deltaBytes(500, 100_000, changes)).toBeLessThanOrEqual(32 * 4);
    }
  });
});
