import { expect, test } from 'vitest';
import fc from 'fast-check';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { InboundFrames } from './inbound-frames.ts';

const PING = encodeClientMessage({ type: 'ping', requestId: 1 });

/** What a socket may say; `spend` says one thing more and returns the milliseconds to wait, 0 if it was welcome. */
class Budget {
  readonly #frames: InboundFrames;

  constructor(clock: Clock) {
    this.#frames = new InboundFrames(clock, { countOverhasty: () => undefined });
  }

  spend(): number {
    const read = this.#frames.read(PING, true);
    return read.ok ? 0 : read.refusal.retryAfterMs;
  }
}

/** Spends until it is told to wait; returns how many passed and the wait. */
function exhaust(budget: Budget): { passed: number; retryAfterMs: number } {
  for (let passed = 0; ; passed++) {
    const retryAfterMs = budget.spend();
    if (retryAfterMs > 0) return { passed, retryAfterMs };
  }
}

test('[P7] 7.4 after a burst of 60 messages the next is welcome when it says, not a millisecond before', () => {
  const clock = new ManualClock();
  const budget = new Budget(clock);
  const { passed, retryAfterMs } = exhaust(budget);
  expect(passed).toBe(60);
  clock.advance(retryAfterMs - 1);
  expect(budget.spend()).toBe(1);
  clock.advance(1);
  expect(budget.spend()).toBe(0);
});

test('[P7] 7.4 however messages are spread, no second has more than the rate and one burst', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 300 }), (pauses) => {
      const clock = new ManualClock();
      const budget = new Budget(clock);
      const start = clock.now();
      let passed = 0;
      for (const pause of pauses) {
        clock.advance(pause);
        if (budget.spend() === 0) passed += 1;
      }
      expect(passed).toBeLessThanOrEqual(60 + ((clock.now() - start) / 1_000) * 30);
    }),
  );
});

test('a clock that is set back costs nobody what they had', () => {
  let now = 1_000_000;
  const budget = new Budget({ now: () => now, after: () => () => undefined });
  expect(budget.spend()).toBe(0);
  now -= 3_600_000;
  expect(exhaust(budget).passed).toBe(59);
  now += 1_000;
  expect(exhaust(budget).passed).toBe(30);
});
