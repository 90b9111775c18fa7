import { ManualClock } from '@stampede/shared/platform/clock.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { refuse } from '../platform/outcome.ts';
import { countRequest } from './request-metrics.ts';

describe('counting requests', () => {
  const clock = new ManualClock();
  let counted: unknown[];
  const counts = {
    countHold: (...what: unknown[]) => void counted.push(['hold', ...what]),
    countCheckout: (...what: unknown[]) => void counted.push(['checkout', ...what]),
  };
  beforeEach(() => {
    counted = [];
  });

  it('counts what was done, refused or broken, with the time it took', async () => {
    await countRequest(counts, clock, 'hold', async () => {
      clock.advance(40);
      return { type: 'done', requestId: 1 };
    });
    await countRequest(counts, clock, 'hold', async () => refuse('seat-taken'));
    await countRequest(counts, clock, 'checkout', async () => refuse('hold-ended'));
    const broken = countRequest(counts, clock, 'checkout', () => Promise.reject(new Error('Redis is away')));
    await expect(broken).rejects.toThrow('Redis is away');
    expect(counted).toEqual([
      ['hold', 'done', 40],
      ['hold', 'seat-taken', 0],
      ['checkout', 'hold-ended'],
      ['checkout', 'failed'],
    ]);
  });

  it('passes other requests through uncounted', async () => {
    const answer = { type: 'done', requestId: 1 } as const;
    expect(await countRequest(counts, clock, 'join', async () => answer)).toBe(answer);
    expect(counted).toEqual([]);
  });
});
