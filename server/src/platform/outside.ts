import { type Clock, systemClock } from '@stampede/shared/platform/clock.ts';
import { type Random, systemRandom } from '@stampede/shared/platform/random.ts';

/**
 * Runs a task after everything that arrived in this turn of the event loop has been handled. Batching by turns
 * costs no waiting: a lone request goes at once, a thousand that came together go together.
 */
export type NextTurn = (task: () => void) => void;

export type Report = (message: string, cause: unknown) => void;

/**
 * What a process has from outside itself, made once where it starts and handed on whole: time, chance, the turns of
 * its event loop, and somebody to tell of trouble. Nothing else in the server asks the machine for them, so whoever
 * hands in another `Outside` decides how every part of it runs. (Keys, secrets and names that nobody else may have
 * come from `node:crypto` all the same: no rule depends on which they are.)
 */
export interface Outside {
  readonly clock: Clock;
  readonly random: Random;
  readonly nextTurn: NextTurn;
  readonly report: Report;
}

export const nextTurn: NextTurn = (task) => void setImmediate(task);

/** The machine's own time, chance and turns. For where a process starts, and for tests. */
export function machineOutside(report: Report): Outside {
  return { clock: systemClock, random: systemRandom, nextTurn, report };
}

const REPORT_INTERVAL_MS = 10_000;

/**
 * For steps that are taken many times a second and all fail while a part is away: passes each message on when it
 * first comes, and then once per ten seconds for as long as it goes on, with how often it came meanwhile. Messages
 * must be of a bounded variety, because each is remembered.
 */
export function sparingReport({ clock, report }: Pick<Outside, 'clock' | 'report'>): Report {
  const told = new Map<string, { at: number; unsaid: number }>();
  return (message, cause) => {
    const now = clock.now();
    const last = told.get(message);
    // A clock that was set back must not keep anything quiet for long.
    if (last && Math.abs(now - last.at) < REPORT_INTERVAL_MS) {
      last.unsaid += 1;
      return;
    }
    told.set(message, { at: now, unsaid: 0 });
    report(last && last.unsaid > 0 ? `${message} (and ${last.unsaid} times before)` : message, cause);
  };
}
