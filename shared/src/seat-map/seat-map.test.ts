import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seatMapOf, seatName } from './seat-map.ts';
import { ROW_LABEL, type RowArc, type RowBlock, rowLabel, type VenueLayout } from './venue-layout.ts';

const arc = (y: number): RowArc => ({ from: [0, y], to: [20, y], bend: 2 });

/** Blocks of one section follow one another with row numbers of their own, as in a real house. */
const blocks: fc.Arbitrary<RowBlock[]> = fc
  .array(
    fc.record({
      priceLevel: fc.nat(5),
      rows: fc.integer({ min: 1, max: 6 }),
      firstSeat: fc.integer({ min: 1, max: 40 }),
      seats: fc.tuple(fc.nat(30), fc.nat(30)),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((some) =>
    some.map((block, at) => ({
      ...block,
      firstRow: String(1 + at * 10),
      front: arc(at * 9),
      back: arc(at * 9 + 8),
    })),
  );

const layout: fc.Arbitrary<VenueLayout> = fc
  .array(blocks, { minLength: 1, maxLength: 5 })
  .map((sections) => ({
    id: 'house',
    name: 'House',
    city: 'Anywhere',
    width: 40,
    height: 60,
    landmarks: [],
    priceLevels: ['one', 'two', 'three', 'four', 'five', 'six'],
    sections: sections.map((some, index) => ({ name: `Block ${index}`, tier: 'Ring', blocks: some })),
  }));

describe('row labels', () => {
  test.each([
    ['A', 0, 'A'],
    ['A', 25, 'Z'],
    ['A', 26, 'AA'],
    ['A', 27, 'AB'],
    ['Y', 2, 'AA'],
    ['AZ', 1, 'BA'],
    ['ZZ', 1, 'AAA'],
    ['1', 9, '10'],
    ['0', 1, '1'],
  ])('row %s and %i more is %s', (first, steps, label) => {
    expect(rowLabel(first, steps)).toBe(label);
  });

  test('no two rows of a block share a label, and the first keeps its own', () => {
    fc.assert(
      fc.property(fc.stringMatching(ROW_LABEL), fc.integer({ min: 1, max: 200 }), (first, rows) => {
        const labels = Array.from({ length: rows }, (_, step) => rowLabel(first, step));
        expect(labels[0]).toBe(first);
        expect(new Set(labels).size).toBe(rows);
      }),
    );
  });

  test.each(['', 'a', 'A1', '01', '1.5', '-1', 'ABC', ' 1'])('%j is no row label', (first) => {
    expect(() => rowLabel(first, 0)).toThrow(RangeError);
  });
});

describe('seat map', () => {
  test('seat indexes are contiguous: section after section, row after row', () => {
    fc.assert(
      fc.property(layout, (venue) => {
        const map = seatMapOf(venue);
        let next = 0;
        for (const section of map.sections) {
          expect(section.start).toBe(next);
          for (const row of section.rows) {
            expect(row.start).toBe(next);
            next += row.seatCount;
          }
          expect(section.start + section.seatCount).toBe(next);
        }
        expect(map.seatCount).toBe(next);
        expect([map.x.length, map.y.length, map.priceLevel.length, map.sectionOf.length]).toEqual([
          next,
          next,
          next,
          next,
        ]);
      }),
    );
  });

  test('every seat has a name, no two the same, and the name leads back to the seat', () => {
    fc.assert(
      fc.property(layout, (venue) => {
        const map = seatMapOf(venue);
        for (let seat = 0; seat < map.seatCount; seat++) {
          const name = seatName(map, seat);
          const section = map.sections.find((one) => one.name === name?.section);
          const row = section?.rows.find((one) => one.label === name?.row);
          expect(row && row.start + Number(name?.seat) - row.firstSeat).toBe(seat);
          expect(map.sectionOf[seat]).toBe(section?.index);
          expect(map.priceLevel[seat]).toBe(row?.priceLevel);
        }
      }),
    );
  });

  test('there is no name outside the house', () => {
    fc.assert(
      fc.property(layout, (venue) => {
        const map = seatMapOf(venue);
        for (const seat of [-1, map.seatCount, 0.5, Number.NaN]) expect(seatName(map, seat)).toBeNull();
      }),
    );
  });

  test('rows bend: the middle of a row lies its sagitta away from the line between its ends', () => {
    const block = {
      priceLevel: 0,
      rows: 1,
      firstRow: 'A',
      seats: [3, 3],
      front: arc(5),
      back: arc(5),
    } as const;
    const section = { name: 'Stalls', tier: 'Stalls', blocks: [block] };
    const map = seatMapOf({
      id: 'h',
      name: 'h',
      city: 'c',
      width: 1,
      height: 1,
      landmarks: [],
      priceLevels: ['p'],
      sections: [section],
    });
    expect([...map.x]).toEqual([0, 10, 20]);
    expect([...map.y]).toEqual([5, 7, 5]);
  });
});
