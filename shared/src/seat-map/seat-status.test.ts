import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AVAILABLE, BLOCKED, HELD, packedLength, packStatuses, SOLD, unpackStatuses } from './seat-status.ts';

const statuses = fc.uint8Array({ max: 3, maxLength: 300 });

describe('packed statuses', () => {
  test('5.2 seat i lies in byte i >> 2, low bits first', () => {
    const packed = packStatuses(Uint8Array.of(AVAILABLE, HELD, SOLD, BLOCKED, HELD));
    expect(packed).toEqual(Uint8Array.of(0b11_10_01_00, 0b01));
  });

  test('5.2 any statuses survive packing, in two bits a seat', () => {
    fc.assert(
      fc.property(statuses, (seats) => {
        const packed = packStatuses(seats);
        expect(packed.length).toBe(packedLength(seats.length));
        expect(unpackStatuses(packed, seats.length)).toEqual(seats);
      }),
    );
  });

  test('5.2 bytes of another number of seats are not read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(200), (packed, seatCount) => {
        const read = unpackStatuses(packed, seatCount);
        expect(read === null).toBe(packed.length !== packedLength(seatCount));
      }),
    );
  });
});
