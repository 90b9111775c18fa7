import type { Backoff } from '../platform/retry.ts';

/** How long a buyer's bank has, from the click on "pay". */
export const PAYMENT_DEADLINE_MS = 60_000;

/**
 * How long the seats of a checkout are kept beyond its payment deadline: a capture that began just before it must
 * have come back and been settled by then, or somebody else could have bought the seats in between.
 */
export const KEEP_MARGIN_MS = 30_000;

/** How long the payment log may take to acknowledge before the buyer hears "busy". */
export const APPEND_TIMEOUT_MS = 5_000;

/** How long a checkout waits to hear from the database whether its key was used before. */
export const KEY_LOOK_TIMEOUT_MS = 1_000;

/** How long one call to the payment gateway may take. */
export const GATEWAY_TIMEOUT_MS = 10_000;

/** How long one call to the database or the seat store may take. */
export const STORE_TIMEOUT_MS = 10_000;

/** Tries of one payment gateway call, and the waiting between them. */
export const GATEWAY_ATTEMPTS_MAX = 5;
export const GATEWAY_BACKOFF: Backoff = { firstMs: 500, maxMs: 8_000 };

/** When a buyer who was told "busy" should try again. */
export const BUSY_RETRY_MS = 2_000;

/** Past its deadline and the time to write its end: an accepted payment that waits longer is stuck. */
const STALLED_AFTER_MS = 120_000;

/**
 * Why a worker isn't ready, in words for its operator, or null.
 * @param oldestAt when the oldest payment that waits was accepted, or null
 */
export function paymentTrouble(oldestAt: number | null, now: number): string | null {
  const waitedMs = oldestAt === null ? 0 : now - oldestAt;
  if (waitedMs <= STALLED_AFTER_MS) return null;
  return `payments (one that was accepted has waited for its settling for ${Math.round(waitedMs / 1_000)} s)`;
}

if (KEEP_MARGIN_MS < GATEWAY_TIMEOUT_MS + STORE_TIMEOUT_MS) {
  throw new Error('seats must be kept until a payment that began before its deadline is settled');
}
