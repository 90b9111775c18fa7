import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks again and again until `condition` holds or the time is up.
 * @returns whether it came to hold
 */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  withinMs: number,
  everyMs = 50,
): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= deadlineMs) return false;
    await pause(everyMs);
  }
}
