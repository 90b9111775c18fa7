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

const TELL_EVERY_MS = 10_000;

/**
 * For what comes again and again: tells for each time whether to speak of it, when it first comes and then once per
 * ten seconds, by how often it came since; 0 in between. Names must be of a bounded variety, because each is remembered.
 */
export function sparing(clock: Clock): (name: string) => number {
  const told = new Map<string, { at: number; times: number }>();
  return (name) => {
    const now = clock.now();
    const last = told.get(name);
    // A clock that was set back must not keep anything quiet for long.
    if (last && Math.abs(now - last.at) < TELL_EVERY_MS) {
      last.times += 1;
      return 0;
    }
    told.set(name, { at: now, times: 1 });
    return last?.times ?? 1;
  };
}

/** For steps that are taken many times a second and all fail while a part is away: passes on few of their messages. */
export function sparingReport({ clock, report }: Pick<Outside, 'clock' | 'report'>): Report {
  const timesOf = sparing(clock);
  return (message, cause) => {
    const times = timesOf(message);
    if (times > 0) report(times > 1 ? `${message} (and ${times - 1} times before)` : message, cause);
  };
}
