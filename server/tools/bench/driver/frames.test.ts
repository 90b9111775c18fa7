import fc from 'fast-check';
import { decodeClientFrame, encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { serverMessages } from '@stampede/shared/protocol/messages.ts';
import { describe, expect, test } from 'vitest';
import { fillHoldFrame, holdFrame } from './errands.ts';
import { afterNumber, firstField, numberAt, opcodeAt } from './listening.ts';

/** Header and masking key of a short frame. */
const HEADER_BYTES = 6;
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("the driver's frames", () => {
  test('a hold filled in twice asks for the second seat', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 199_999 }),
        (requestId, seat) => {
          const frame = holdFrame();
          fillHoldFrame(frame, 1, 1);
          fillHoldFrame(frame, requestId, seat);
          const decoded = decodeClientFrame(frame.subarray(HEADER_BYTES));
          expect(decoded).toEqual({ ok: true, message: { type: 'hold', requestId, seats: [seat] } });
        },
      ),
    );
  });

  test('numbers are found where the codec put them', () => {
    fc.assert(
      fc.property(uint32, fc.maxSafeInteger().map(Math.abs), fc.nat(9), (requestId, holdToken, before) => {
        const message = { type: 'hold', requestId, holdToken, seats: [1], expiresAt: 1, now: 1 } as const;
        const packed = encodeServerMessage({
          ...{ ...message, extensionsLeft: 1, orderId: null },
          ...{ payment: 'none', revision: 1 },
        });
        const bytes = Buffer.concat([Buffer.alloc(before), packed]);
        expect(opcodeAt(bytes, before)).toBe(serverMessages.hold.opcode);
        const request = firstField(before);
        expect(numberAt(bytes, request)).toBe(requestId);
        expect(numberAt(bytes, afterNumber(bytes, request))).toBe(holdToken);
      }),
    );
  });

  test('what is no number is an error', () => {
    expect(() => numberAt(Buffer.of(0xc0), 0)).toThrow(RangeError);
    expect(() => afterNumber(Buffer.of(0xa1), 0)).toThrow(RangeError);
  });
});
