/**
 * Milliseconds left of an interval that began at an instant; never more than all of it, though the clock be set back.
 */
export function restOf(intervalMs: number, beganAt: number, now: number): number {
  return Math.min(intervalMs, Math.max(0, beganAt + intervalMs - now));
}
