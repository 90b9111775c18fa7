import { performance } from 'node:perf_hooks';
import { percentile } from '../statistics.ts';
import { newHouse, SEATS, type Strategy } from './strategy.ts';

/** With no common divisor with the number of seats: neighbours in time are far apart in the house. */
const STRIDE = 7_919;
const HOT_SEAT = 4_711;
const MS_PER_SECOND = 1_000;

export type Wish = 'random' | 'hot';

/** Attempts a second, and how long one takes in milliseconds. */
export interface Contest {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/**
 * Attempts of many buyers who come at once, each in a house where every seat is free, and each for a seat of their own
 * or all for the same one.
 * @param atOnce attempts under way at a time
 * @throws Error if a seat had two holders, or one that nobody wanted twice had none
 */
export async function attemptsPerSecond(
  strategy: Strategy,
  wish: Wish,
  { house, attempts, atOnce }: { house: number; attempts: number; atOnce: number },
): Promise<Contest> {
  await strategy.reset(newHouse(house));
  let next = 0;
  let won = 0;
  const latencies = new Float64Array(attempts);
  const buy = async (): Promise<void> => {
    while (next < attempts) {
      const session = next++;
      const seat = wish === 'hot' ? HOT_SEAT : (session * STRIDE) % SEATS;
      const clickedAt = performance.now();
      if (await strategy.attempt(session, seat)) won += 1;
      latencies[session] = performance.now() - clickedAt;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: atOnce }, buy));
  const seconds = (performance.now() - startedAt) / MS_PER_SECOND;
  const expected = wish === 'hot' ? 1 : attempts;
  if (won !== expected) throw new Error(`${strategy.name}: ${won} got a seat, not ${expected} (${wish})`);
  latencies.sort();
  return { perSecond: attempts / seconds, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}
