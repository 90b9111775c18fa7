import type { Clock } from '@stampede/shared/platform/clock.ts';

export type Report = (message: string, cause: unknown) => void;

const INTERVAL_MS = 10_000;

/**
 * For steps that are taken many times a second and all fail while a part is away: passes each message on when it
 * first comes, and then once per ten seconds for as long as it goes on, with how often it came meanwhile. Messages
 * must be of a bounded variety, because each is remembered.
 */
export function sparingReport(report: Report, clock: Clock): Report {
  const told = new Map<string, { at: number; unsaid: number }>();
  return (message, cause) => {
    const now = clock.now();
    const last = told.get(message);
    // A clock that was set back must not keep anything quiet for long.
    if (last && Math.abs(now - last.at) < INTERVAL_MS) {
      last.unsaid += 1;
      return;
    }
    told.set(message, { at: now, unsaid: 0 });
    report(last && last.unsaid > 0 ? `${message} (and ${last.unsaid} times before)` : message, cause);
  };
}
