import { AVAILABLE, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { describe, expect, it } from 'vitest';
import { map } from '../../../test/small-venue.ts';
import { nearestSeats } from './nearest-seats.ts';

const section = map.sections[0]!;

function statuses(free: readonly number[]): Uint8Array {
  return new Uint8Array(section.seatCount).map((_, seat) => (free.includes(seat) ? AVAILABLE : SOLD));
}

describe('the next best seats', () => {
  it('are the nearest free ones of the same price', () => {
    expect(nearestSeats(map, section, statuses([0, 7, 25]), [5])).toEqual([7]);
  });

  it('never cost more or less than what was wanted', () => {
    expect(nearestSeats(map, section, statuses([25]), [15])).toBeNull();
  });

  it('are side by side when several were wanted', () => {
    expect(nearestSeats(map, section, statuses([4, 6, 11, 12]), [5, 6])).toEqual([11, 12]);
  });

  it('never run over the end of a row', () => {
    expect(nearestSeats(map, section, statuses([9, 10]), [8, 9])).toBeNull();
  });

  it('are none where nothing is free', () => {
    expect(nearestSeats(map, section, statuses([]), [5])).toBeNull();
    expect(nearestSeats(map, section, statuses([1]), [])).toBeNull();
  });
});
