import type { Random } from '../platform/random.ts';

/** The first attempt follows within this; each failure doubles the bound, up to the cap. */
export const RECONNECT_BASE_MS = 1_000;
export const RECONNECT_CAP_MS = 20_000;

/** A connection that lasted this long was a good one: the next loss starts with short delays again. */
export const STEADY_AFTER_MS = 10_000;

/**
 * Milliseconds to wait before reconnect attempt `attempt`, counted from 1. Full jitter: evenly spread from zero, so
 * that thousands of clients that lost the same server don't return in waves (Brooker, "Exponential Backoff And
 * Jitter", AWS 2015).
 */
export function reconnectDelay(attempt: number, random: Random): number {
  return random() * Math.min(RECONNECT_CAP_MS, RECONNECT_BASE_MS * 2 ** (attempt - 1));
}
