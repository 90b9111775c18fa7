import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, test } from 'vitest';
import { PartHealth } from './part-health.ts';

/** Lets promises that have what they wait for go on. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('part health', () => {
  test('a part that says no, fails or hangs is not healthy, and is asked again', async () => {
    const clock = new ManualClock();
    let isUp = false;
    const health = new PartHealth(
      {
        up: async () => true,
        changing: async () => isUp,
        failing: () => Promise.reject(new Error('refused')),
        hanging: () => new Promise<boolean>(() => undefined),
      },
      clock,
    );
    const started = health.start();
    await settled();
    clock.advance(1_500);
    await started;
    expect(health.parts()).toEqual({ up: true, changing: false, failing: false, hanging: false });

    isUp = true;
    clock.advance(2_000);
    await settled();
    expect(health.parts()).toMatchObject({ changing: true });
    const stopped = health.stop();
    clock.advance(1_500);
    await stopped;
  });
});
