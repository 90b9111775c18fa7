import fc from 'fast-check';
import { AVAILABLE, BLOCKED, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { describe, expect, it } from 'vitest';
import { map } from '../../../test/small-venue.ts';
import { canBeOffered, statusOf } from './offered-seats.ts';

const status = fc.constantFrom(AVAILABLE, HELD, SOLD, BLOCKED);
/** Each section's statuses, or none where it isn't watched. */
const statuses = fc.tuple(
  ...map.sections.map(({ seatCount }) =>
    fc.option(fc.array(status, { minLength: seatCount, maxLength: seatCount }), { nil: undefined }),
  ),
);
const seats = fc.uniqueArray(fc.nat(map.seatCount - 1), { minLength: 1, maxLength: 6 });

describe('offered seats', () => {
  it('can be offered exactly while none of them is known to be taken', () => {
    fc.assert(
      fc.property(statuses, seats, (known, offered) => {
        const statusesOf = (section: number) => known[section] && Uint8Array.from(known[section]);
        const taken = offered.some((seat) => {
          const now = statusOf(map, statusesOf, seat);
          return now !== undefined && now !== AVAILABLE;
        });
        expect(canBeOffered(map, statusesOf, offered)).toBe(!taken);
      }),
    );
  });

  it('are known by their section’s statuses, and not at all where nobody watches it', () => {
    const second = map.sections[1]?.seatCount ?? 0;
    const statusesOf = (section: number) =>
      section === 1 ? new Uint8Array(second).fill(SOLD, 2, 3) : undefined;
    const start = map.sections[1]?.start ?? 0;
    expect(statusOf(map, statusesOf, start + 2)).toBe(SOLD);
    expect(statusOf(map, statusesOf, start + 3)).toBe(AVAILABLE);
    expect(statusOf(map, statusesOf, 0)).toBeUndefined();
    expect(statusOf(map, statusesOf, map.seatCount)).toBeUndefined();
  });
});
