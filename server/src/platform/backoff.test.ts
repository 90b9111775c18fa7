import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

describe('backoff', () => {
  it('[P7] doubles up to its bound, of which chance takes at most half', () => {
    const bounds = { firstMs: 100, maxMs: 1_000 };
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), random, (attempt, chance) => {
        const full = Math.min(1_000, 100 * 2 ** (attempt - 1));
        const waited = backoffMs(bounds, attempt, chance);
        expect(waited).toBeGreaterThanOrEqual(full / 2);
        expect(waited).toBeLessThanOrEqual(full);
      }),
    );
  });
});
