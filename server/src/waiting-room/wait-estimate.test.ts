import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AdmissionRate, countAdmissions, estimateWait, measuredRate } from './wait-estimate.ts';

/** Counts `perTick` admissions every 100 ms from `from` to `to`, after a first burst. */
function steady(rate: AdmissionRate | null, perTick: number, from: number, to: number): AdmissionRate | null {
  let result = rate;
  for (let now = from; now <= to; now += 100) result = countAdmissions(result, perTick, now);
  return result;
}

describe('measured admission rate', () => {
  test('nothing is known before the first admissions and for a while after', () => {
    expect(measuredRate(null, 0)).toBeNull();
    expect(measuredRate(countAdmissions(null, 50, 0), 4_999)).toBeNull();
  });

  test('the burst at the opening says nothing about the rate that follows', () => {
    const rate = steady(countAdmissions(null, 500, 0), 2, 100, 10_000);
    expect(measuredRate(rate, 10_000)).toBeCloseTo(20, 0);
  });

  test('follows a change within a minute or two', () => {
    const before = steady(null, 5, 0, 120_000);
    expect(measuredRate(before, 120_000)).toBeCloseTo(50, 0);
    const after = steady(before, 1, 120_100, 240_000);
    expect(measuredRate(after, 240_000)).toBeGreaterThan(9);
    expect(measuredRate(after, 240_000)).toBeLessThan(11.5);
  });

  test('fades to nothing when nobody is let in, and never below', () => {
    const rate = steady(null, 5, 0, 60_000);
    expect(measuredRate(rate, 90_000)).toBeLessThan(25);
    expect(measuredRate(rate, 10_000_000)).toBeCloseTo(0);
  });

  test('a clock that goes back does no harm', () => {
    const rate = steady(null, 5, 0, 60_000);
    expect(measuredRate(countAdmissions(rate, 0, 59_000), 60_000)).toBe(measuredRate(rate, 60_000));
  });
});

describe('estimated wait', () => {
  const pace = { measured: 10, configured: 100, paused: false };

  test('position over measured rate, with a band around it', () => {
    const wait = estimateWait(10_000, pace)!;
    expect(wait.lowSeconds).toBeGreaterThan(850);
    expect(wait.lowSeconds).toBeLessThan(1_000);
    expect(wait.highSeconds).toBeGreaterThan(1_000);
    expect(wait.highSeconds).toBeLessThan(1_150);
  });

  test('before anything is measured the configured rate stands in, mostly as a limit', () => {
    expect(estimateWait(10_000, { ...pace, measured: null })).toEqual({ lowSeconds: 89, highSeconds: 151 });
  });

  test('paused, at no rate, or past a day: nothing is promised', () => {
    expect(estimateWait(5, { ...pace, paused: true })).toBeNull();
    expect(estimateWait(5, { ...pace, measured: 0 })).toBeNull();
    expect(estimateWait(5, { ...pace, measured: 1e-9 })).toBeNull();
    expect(estimateWait(5, { ...pace, measured: null, configured: 0 })).toBeNull();
  });

  test('the band is whole seconds, holds the plain quotient, and further back never waits less', () => {
    const position = fc.integer({ min: 1, max: 200_000 });
    const perSecond = fc.double({ min: 5, max: 500, noNaN: true });
    fc.assert(
      fc.property(position, position, perSecond, (a, b, measured) => {
        const [near, far] = [Math.min(a, b), Math.max(a, b)];
        const [first, last] = [near, far].map((at) => estimateWait(at, { ...pace, measured })!);
        expect(first!.lowSeconds).toBeLessThanOrEqual(near / measured);
        expect(first!.highSeconds).toBeGreaterThanOrEqual(near / measured);
        expect(first!.highSeconds).toBeGreaterThanOrEqual(1);
        expect(last!.lowSeconds).toBeGreaterThanOrEqual(first!.lowSeconds);
        expect(last!.highSeconds).toBeGreaterThanOrEqual(first!.highSeconds);
        expect(Number.isInteger(last!.lowSeconds) && Number.isInteger(last!.highSeconds)).toBe(true);
      }),
    );
  });
});
