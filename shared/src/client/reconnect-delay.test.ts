import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RECONNECT_BASE_MS, RECONNECT_CAP_MS, reconnectDelay } from './reconnect-delay.ts';

test('8.3 every delay lies between zero and the bound of its attempt, which never passes the cap', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, chance) => {
        const delay = reconnectDelay(attempt, () => chance);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(RECONNECT_CAP_MS);
        expect(delay).toBeLessThanOrEqual(RECONNECT_BASE_MS * 2 ** (attempt - 1));
      },
    ),
  );
});

test('8.3 the bound doubles with each attempt until it reaches the cap', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7].map((attempt) => reconnectDelay(attempt, () => 1));
  expect(bounds).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});
