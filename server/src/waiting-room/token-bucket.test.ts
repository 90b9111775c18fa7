import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { available, fullBucket, refill, take } from './token-bucket.ts';

const limits = { perSecond: 10, burst: 5 };

describe('[A2] token bucket', () => {
  test('starts full, empties, and fills at its rate up to the burst', () => {
    const empty = take(fullBucket(limits, 0), 5);
    expect(available(empty)).toBe(0);
    expect(available(refill(empty, limits, 99))).toBe(0);
    expect(available(refill(empty, limits, 100))).toBe(1);
    expect(available(refill(empty, limits, 60_000))).toBe(5);
  });

  test('a tenth ten times is one', () => {
    let bucket = take(fullBucket({ perSecond: 1, burst: 1 }, 0), 1);
    for (let now = 100; now <= 1_000; now += 100) bucket = refill(bucket, { perSecond: 1, burst: 1 }, now);
    expect(available(bucket)).toBe(1);
  });

  test('[A4] a clock that goes back neither gives nor takes, and time counts from there', () => {
    const bucket = refill(take(fullBucket(limits, 0), 5), limits, 200);
    expect(refill(bucket, limits, 100)).toEqual({ ...bucket, at: 100 });
  });

  test('a lowered burst holds at once', () => {
    expect(available(refill(fullBucket(limits, 0), { ...limits, burst: 2 }, 0))).toBe(2);
  });

  test('no stretch of time gives more than burst + rate · t, however it is asked', () => {
    const wait = fc.integer({ min: 0, max: 3_000 });
    const rate = fc.double({ min: 0.1, max: 50, noNaN: true });
    fc.assert(
      fc.property(rate, fc.integer({ min: 1, max: 20 }), fc.array(wait), (perSecond, burst, waits) => {
        let bucket = fullBucket({ perSecond, burst }, 0);
        let now = 0;
        const taken: { at: number; count: number }[] = [];
        for (const ms of waits) {
          now += ms;
          bucket = refill(bucket, { perSecond, burst }, now);
          const count = available(bucket);
          bucket = take(bucket, count);
          taken.push({ at: now, count });
        }
        for (const [index, { at }] of taken.entries()) {
          const sum = taken.slice(index).reduce((total, { count }) => total + count, 0);
          expect(sum).toBeLessThanOrEqual(burst + (perSecond * (now - at)) / 1_000 + 1e-6);
        }
      }),
    );
  });
});
