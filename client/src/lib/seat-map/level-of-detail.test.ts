import { describe, expect, it } from 'vitest';
import { geometry } from '../../../test/small-venue.ts';
import { detailLevel, isPressable, sectionsInView } from './level-of-detail.ts';

describe('level of detail', () => {
  it('shows sections, then dots, then seats, as seats get room', () => {
    expect([1, 3.9, 4, 12.9, 13, 40].map(detailLevel)).toEqual([
      'sections',
      'sections',
      'dots',
      'dots',
      'seats',
      'seats',
    ]);
  });

  it('lets a finger press only what it can aim at', () => {
    expect(isPressable(12, false)).toBe(true);
    expect(isPressable(12, true)).toBe(false);
    expect(isPressable(24, true)).toBe(true);
  });
});

describe('sections to watch', () => {
  const everything = { left: 0, top: 0, right: 30, bottom: 10 };

  it('are none while only their shapes are shown', () => {
    expect(sectionsInView(geometry, everything, 'sections', 64)).toEqual([]);
  });

  it('are those in view, the most central first', () => {
    expect(sectionsInView(geometry, everything, 'dots', 64).toSorted()).toEqual([0, 1]);
    expect(sectionsInView(geometry, { ...everything, left: 13 }, 'dots', 64)).toEqual([1]);
    expect(sectionsInView(geometry, { ...everything, left: 8 }, 'dots', 64)).toEqual([1, 0]);
  });

  it('are never more than may be watched', () => {
    expect(sectionsInView(geometry, { ...everything, left: 8 }, 'seats', 1)).toEqual([1]);
  });
});
