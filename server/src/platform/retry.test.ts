import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoffMs, retry } from './retry.ts';

const backoff = { firstMs: 100, maxMs: 400 };

describe('retry', () => {
  /** Tries something that fails `failures` times, moving time on as asked. */
  function trying(failures: number, terms: Partial<Parameters<typeof retry>[1]> = {}) {
    const clock = new ManualClock(0);
    const pauses: number[] = [];
    let tries = 0;
    const result = retry(
      { clock, random: () => 0.999 },
      { backoff, onTrouble: (_cause, againInMs) => pauses.push(againInMs), ...terms },
      async () => {
        tries += 1;
        if (tries <= failures) throw new Error(`failure ${tries}`);
        return tries;
      },
    );
    return { clock, pauses, result, tries: () => tries };
  }

  const settle = async (clock: ManualClock, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(400);
    }
  };

  test('tries again after pauses that double up to their bound', async () => {
    const { clock, pauses, result } = trying(4);
    await settle(clock, 5);
    expect(await result).toBe(5);
    expect(pauses).toEqual([100, 200, 400, 400]);
  });

  test('gives the last cause once its tries are used up', async () => {
    const { clock, result, tries } = trying(Infinity, { attemptsMax: 3 });
    const refused = expect(result).rejects.toThrow('failure 3');
    await settle(clock, 4);
    await refused;
    expect(tries()).toBe(3);
  });

  test('does not try again what trying cannot help', async () => {
    const { result, tries } = trying(Infinity, { isFinal: () => true });
    await expect(result).rejects.toThrow('failure 1');
    expect(tries()).toBe(1);
  });

  test('called off amid a pause, it ends at once', async () => {
    const stop = new AbortController();
    const { clock, result, tries } = trying(Infinity, { signal: stop.signal });
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort(new Error('enough'));
    await expect(result).rejects.toThrow('enough');
    clock.advance(1_000);
    expect(tries()).toBe(1);
  });
});

test('[P7] the pause doubles up to its bound, of which chance takes at most half', () => {
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
