import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FleetClock } from './fleet-clock.ts';

const MINUTE_MS = 60_000;
const MEASURED_EVERY_MS = 5_000;

let machine: ManualClock;
let store: ManualClock;
let passedMs: number;
let troubles: string[];
let clock: FleetClock;
let stop: () => Promise<void>;
/** How long the way to the store takes, and the way back. */
let way: { there: number; back: number };

function pass(ms: number): void {
  passedMs += ms;
  store.advance(ms);
  machine.advance(ms);
}

/** Lets what is due run, and the answers it waits for come. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

beforeEach(async () => {
  [machine, store] = [new ManualClock(), new ManualClock()];
  passedMs = 0;
  troubles = [];
  way = { there: 0, back: 0 };
  clock = new FleetClock({
    machine,
    passedMs: () => passedMs,
    onTrouble: (message) => void troubles.push(message),
  });
  stop = async () => undefined;
});
afterEach(() => stop());

async function follow(): Promise<void> {
  const read = async (): Promise<number> => {
    passedMs += way.there;
    store.set(way.there);
    const told = store.now();
    passedMs += way.back;
    store.set(way.back);
    return told;
  };
  stop = await clock.follow({ name: 'Redis', read });
}

describe('the fleet clock', () => {
  test('is the machine’s where nothing is shared', () => {
    machine.set(10 * MINUTE_MS);
    expect(clock.now()).toBe(machine.now());
    expect(clock.trouble).toBeNull();
  });

  test.each([10, -10])('goes by the store’s time on a machine %i minutes ahead', async (minutes) => {
    machine.set(minutes * MINUTE_MS);
    await follow();
    expect(clock.now()).toBe(store.now());
    expect(clock.skewMs).toBe(minutes * MINUTE_MS);
  });

  test('adds half the way there and back', async () => {
    way = { there: 40, back: 40 };
    await follow();
    expect(clock.now()).toBe(store.now());
    way = { there: 0, back: 80 };
    pass(MEASURED_EVERY_MS);
    await settled();
    expect(Math.abs(clock.now() - store.now())).toBeLessThanOrEqual(40);
  });

  test('never goes back by what a measurement is off, nor with a clock that is set', async () => {
    way = { there: 0, back: 80 };
    await follow();
    const before = clock.now();
    way = { there: 80, back: 0 };
    pass(MEASURED_EVERY_MS);
    await settled();
    expect(clock.now()).toBeGreaterThanOrEqual(before + MEASURED_EVERY_MS);
    machine.set(-3_600_000);
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(before + MEASURED_EVERY_MS);
    pass(20);
    expect(clock.now()).toBeGreaterThanOrEqual(now);
  });

  test.each([
    [600_000, 'this machine’s clock is 600 s ahead of Redis'],
    [-600_000, 'this machine’s clock is 600 s behind Redis'],
    [1_001, 'this machine’s clock is 1 s ahead of Redis'],
    [1_000, null],
  ])('a machine %i ms ahead: %s', async (skewMs, words) => {
    machine.set(skewMs);
    await follow();
    expect(clock.trouble).toBe(words?.replace('’', "'") ?? null);
    expect(troubles).toEqual(words === null ? [] : [clock.trouble]);
  });

  test('says once that the clock is wrong, and again when it was right in between', async () => {
    await follow();
    for (const setByMs of [MINUTE_MS, 0, -MINUTE_MS, MINUTE_MS]) {
      machine.set(setByMs);
      pass(MEASURED_EVERY_MS);
      await settled();
    }
    expect(troubles).toHaveLength(2);
  });

  test('keeps the time it knows while the store is away, and says so', async () => {
    await follow();
    await stop();
    stop = await clock.follow({ name: 'Redis', read: () => Promise.reject(new Error('gone')) });
    pass(MINUTE_MS);
    expect(clock.now()).toBe(store.now());
    expect(troubles[0]).toContain('gone');
  });
});
