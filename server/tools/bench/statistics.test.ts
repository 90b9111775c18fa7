import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { percentile, readable, spreadOf } from './statistics.ts';

const figures = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('statistics of runs', () => {
  test('of five runs the third counts, of four the middle between the second and the third', () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ median: 3, min: 1, max: 5 });
    expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
    expect(spreadOf([7])).toEqual({ median: 7, min: 7, max: 7 });
  });

  test('half of the runs lie on either side of the median', () => {
    fc.assert(
      fc.property(figures, (values) => {
        const { median, min, max } = spreadOf(values);
        expect(values.filter((value) => value < median).length).toBeLessThanOrEqual(values.length / 2);
        expect(values.filter((value) => value > median).length).toBeLessThanOrEqual(values.length / 2);
        expect(min).toBe(Math.min(...values));
        expect(max).toBe(Math.max(...values));
      }),
    );
  });

  test('what was not measured is no figure', () => {
    expect(() => spreadOf([])).toThrow(RangeError);
    expect(() => spreadOf([1, NaN])).toThrow(RangeError);
    expect(() => spreadOf([1, Infinity])).toThrow(RangeError);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });

  test('a percentile is one of the measurements: the 99th of a hundred is the second largest', () => {
    const hundred = Float64Array.from({ length: 100 }, (_, index) => index + 1);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile(hundred, 0)).toBe(1);
    expect(percentile([3], 0.5)).toBe(3);
  });

  test('figures are written with what they are worth', () => {
    expect([123_456, 1_234.5, 12.345, 1.2345, 0.01234, 0].map(readable)).toEqual([
      '123,456',
      '1,235',
      '12.3',
      '1.23',
      '0.0123',
      '0',
    ]);
  });
});
