import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { seatMapOf, type SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { chooseSeats, chooseSections, rankSeats } from './seat-choice.ts';

const arc = (y: number) => ({ from: [0, y], to: [9, y], bend: 0 }) as const;
const rows = (priceLevel: number, count: number) => ({
  priceLevel,
  rows: count,
  firstRow: 'A',
  seats: [10, 10] as const,
  front: arc(1),
  back: arc(count),
});
const layout: VenueLayout = {
  id: 'small',
  name: 'Small',
  city: 'Here',
  width: 20,
  height: 20,
  landmarks: [],
  priceLevels: ['dear', 'cheap'],
  sections: [
    { name: 'Back', tier: 'Floor', blocks: [rows(1, 2)] },
    { name: 'Front', tier: 'Floor', blocks: [rows(0, 2)] },
    { name: 'Side', tier: 'Floor', blocks: [rows(1, 1)] },
  ],
};
const map = seatMapOf(layout);
const desirability = rankSeats(map);

const watch = (statuses: readonly number[], sections = map.sections.map((section) => section.index)) =>
  new Map(
    sections.map((index) => {
      const { start = 0, seatCount = 0 } = map.sections[index] ?? {};
      return [index, { statuses: Uint8Array.from(statuses.slice(start, start + seatCount)) }];
    }),
  );
const all = (status: number): number[] => Array<number>(map.seatCount).fill(status);

describe('what a crowd wants', () => {
  it('is the dearest seats first, then the front row, then its middle', () => {
    const best = [...desirability.ofSeat]
      .map((rank, seat) => ({ rank, seat }))
      .sort((a, b) => a.rank - b.rank);
    const front = map.sections[1];
    expect(best.slice(0, 2).map(({ seat }) => seat - (front?.start ?? 0))).toEqual([4, 5]);
    expect(best.slice(0, 10).every(({ seat }) => map.sectionOf[seat] === 1)).toBe(true);
    expect(desirability.sections).toEqual([1, 0, 2]);
  });

  it('is the same few groups of seats, so that buyers collide', () => {
    const choices = Array.from({ length: 200 }, (_, seed) =>
      chooseSeats(
        { map, desirability, watched: watch(all(AVAILABLE)), count: 2, avoid: new Set() },
        seededRandom(seed),
      ),
    );
    expect(new Set(choices.map(String)).size).toBeLessThanOrEqual(10);
    expect(choices.flat().every((seat) => map.sectionOf[seat] === 1)).toBe(true);
  });
});

describe('choosing seats', () => {
  const statuses = fc.array(fc.constantFrom(AVAILABLE, HELD, SOLD), {
    minLength: map.seatCount,
    maxLength: map.seatCount,
  });

  it('takes free neighbours of one row that are watched and not avoided, as many as wanted or fewer', () => {
    const sections = fc.subarray([0, 1, 2]);
    const avoided = fc.uniqueArray(fc.nat(map.seatCount - 1), { maxLength: 5 });
    fc.assert(
      fc.property(
        statuses,
        sections,
        avoided,
        fc.integer({ min: 1, max: 4 }),
        fc.nat(),
        (now, seen, off, count, seed) => {
          const wish = { map, desirability, watched: watch(now, seen), count, avoid: new Set(off) };
          const seats = chooseSeats(wish, seededRandom(seed));
          expect(seats.length).toBeLessThanOrEqual(count);
          for (const seat of seats) {
            expect(now[seat]).toBe(AVAILABLE);
            expect(seen).toContain(map.sectionOf[seat]);
            expect(off).not.toContain(seat);
          }
          expect(new Set(seats.map((seat) => rowOf(map, seat))).size).toBeLessThanOrEqual(1);
          expect(seats).toEqual(seats.map((_, step) => (seats[0] ?? 0) + step));
        },
      ),
    );
  });

  it('finds something as long as anything is free', () => {
    fc.assert(
      fc.property(statuses, fc.integer({ min: 1, max: 4 }), fc.nat(), (now, count, seed) => {
        const seats = chooseSeats(
          { map, desirability, watched: watch(now), count, avoid: new Set() },
          seededRandom(seed),
        );
        expect(seats.length > 0).toBe(now.includes(AVAILABLE));
      }),
    );
  });

  it('prefers fewer seats to none', () => {
    const last = all(SOLD).with(7, AVAILABLE);
    const wish = { map, desirability, watched: watch(last), count: 4, avoid: new Set<number>() };
    expect(chooseSeats(wish, seededRandom(1))).toEqual([7]);
  });
});

describe('choosing sections', () => {
  it('takes different ones that may have free seats', () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2]), fc.integer({ min: 1, max: 3 }), fc.nat(), (free, count, seed) => {
        const chosen = chooseSections(
          desirability,
          (section) => free.includes(section),
          count,
          seededRandom(seed),
        );
        expect(chosen).toHaveLength(Math.min(count, free.length));
        expect(new Set(chosen).size).toBe(chosen.length);
        expect(chosen.every((section) => free.includes(section))).toBe(true);
      }),
    );
  });
});

function rowOf({ sections }: SeatMap, seat: number): number | undefined {
  return sections.flatMap((section) => section.rows).findLast((row) => row.start <= seat)?.start;
}
