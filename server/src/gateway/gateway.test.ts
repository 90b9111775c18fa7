import { describe, expect, test } from 'vitest';
import { Gateway, movingSpreadMs } from './gateway.ts';

describe('gateway', () => {
  test('a process without buyers has nobody to tell, and lives on', () => {
    const { audience } = new Gateway(() => undefined);
    audience.publish('show/1', Uint8Array.of(1));
    expect(audience.size('show/1')).toBe(0);
  });

  test('8.4 the more have to move, the longer they are given, within bounds', () => {
    expect([0, 1, 4_000, 10_000, 50_000].map(movingSpreadMs)).toEqual([500, 500, 2_000, 5_000, 5_000]);
  });
});
