import { seatMapOf, seatName } from '@stampede/shared/seat-map/seat-map.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inSeatOrder } from './seat-order.ts';

const arc = (left: number, y: number) => ({ from: [left, y] as const, to: [left + 3, y] as const, bend: 0 });
const block = (firstRow: string, left: number, firstSeat: number) => ({
  priceLevel: 0,
  rows: 2,
  firstRow,
  firstSeat,
  seats: [3, 3] as const,
  front: arc(left, 1),
  back: arc(left, 2),
});
/** Rows Y, Z and AA, AB; the rows of letters on both sides of an entrance, the right one written first. */
const map = seatMapOf({
  id: 'split',
  name: 'Split',
  city: 'Nowhere',
  width: 20,
  height: 10,
  landmarks: [],
  priceLevels: ['One'],
  sections: [
    { name: 'B', tier: 'Floor', blocks: [block('Z', 10, 9), block('Z', 0, 2), block('Y', 0, 20)] },
    { name: 'A', tier: 'Floor', blocks: [block('9', 0, 1)] },
  ],
});

const names = (seats: readonly number[]) =>
  seats.map((seat) => Object.values(seatName(map, seat)!).join(' '));

describe('the order of seats', () => {
  it('is by section as in the venue, then by row, then by number, wherever the blocks lie', () => {
    const seats = Array.from({ length: map.seatCount }, (_, seat) => seat);
    expect(names(inSeatOrder(map, seats))).toEqual([
      ...['B Y 20', 'B Y 21', 'B Y 22'],
      ...['B Z 2', 'B Z 3', 'B Z 4', 'B Z 9', 'B Z 10', 'B Z 11', 'B Z 20', 'B Z 21', 'B Z 22'],
      ...['B AA 2', 'B AA 3', 'B AA 4', 'B AA 9', 'B AA 10', 'B AA 11'],
      ...['A 9 1', 'A 9 2', 'A 9 3', 'A 10 1', 'A 10 2', 'A 10 3'],
    ]);
  });

  it('does not depend on the order of taking them, and loses none', () => {
    const some = fc.uniqueArray(fc.nat(map.seatCount - 1), { maxLength: 8 });
    fc.assert(
      fc.property(some, (seats) => {
        expect(inSeatOrder(map, seats)).toEqual(inSeatOrder(map, seats.toReversed()));
        expect(new Set(inSeatOrder(map, seats))).toEqual(new Set(seats));
      }),
    );
  });
});
