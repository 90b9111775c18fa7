/** Bounds of the waiting between two tries, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Milliseconds to wait after the `attempt`-th try (from 1) failed: doubling up to the bound, of which a random half
 * is taken off, so that those who failed together don't come back together ("equal jitter", AWS Architecture Blog,
 * 2015).
 * @param random in [0, 1)
 */
export function backoffMs({ firstMs, maxMs }: Backoff, attempt: number, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return Math.round(full * (0.5 + random / 2));
}
