import { describe, expect, it } from 'vitest';
import { geometry, map } from '../../../test/small-venue.ts';
import { HitTest } from './hit-test.ts';

describe('hit test', () => {
  const hits = new HitTest(map, geometry.sections);

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

  it('finds a seat up to its corners, and of several the nearest', () => {
    expect(hits.seatAt(3.48, 0.48)).toBe(3);
    expect(hits.seatAt(-0.45, -0.45)).toBe(0);
  });
});
