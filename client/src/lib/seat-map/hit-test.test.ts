import { describe, expect, it } from 'vitest';
import { geometry, map } from '../../../test/small-venue.ts';
import { HitTest, isInside } from './hit-test.ts';

describe('hit test', () => {
  const hits = new HitTest(map, geometry);

  it('finds every seat at its own centre', () => {
    for (let seat = 0; seat < map.seatCount; seat++) {
      expect(hits.seatAt(map.x[seat] ?? NaN, map.y[seat] ?? NaN)).toBe(seat);
    }
  });

  it('takes the nearest of two neighbours', () => {
    expect(hits.seatAt(3.4, 0.1)).toBe(3);
    expect(hits.seatAt(3.6, 0.1)).toBe(4);
  });

  it('finds nothing in an aisle or outside', () => {
    expect(hits.seatAt(12, 1)).toBeNull();
    expect(hits.seatAt(-5, -5)).toBeNull();
  });

  it('finds the section under a point', () => {
    expect(hits.sectionAt(4.5, 0.5)?.section.name).toBe('Block 1');
    expect(hits.sectionAt(20, 2.5)?.section.name).toBe('Block 2');
    expect(hits.sectionAt(12, 1)).toBeNull();
  });

  it('tells inside from outside of a polygon that bends in', () => {
    const arrow = Float32Array.from([0, 0, 4, 2, 0, 4, 1, 2]);
    expect(isInside(arrow, 2, 2)).toBe(true);
    expect(isInside(arrow, 0.5, 2)).toBe(false);
  });
});
