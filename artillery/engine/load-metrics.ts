import type { Outcome } from './flow.ts';
import { type Journal, type Progress, type Stage, STAGES } from './journal.ts';

/** Artillery's end of a virtual user: what is emitted here becomes a metric of the report. */
export interface MetricEvents {
  emit(event: 'counter' | 'histogram', name: string, value: number): unknown;
  emit(event: 'error', code: string): unknown;
  emit(event: 'started'): unknown;
}

/** Requests whose answers are timed. */
const REQUESTS = [
  'session',
  'enter',
  'join',
  'watch',
  'hold',
  'extend',
  'release',
  'checkout',
  'orders',
  'leave',
] as const;
export type RequestName = (typeof REQUESTS)[number];

/**
 * Waits that depend on others, or on more than one answer. `own_delay` is how late Artillery's worker itself was with
 * its work in a second, 99 % of the time: every other figure contains it.
 */
const WAITS = ['admission', 'settle', 'resume', 'away', 'own_delay'] as const;
export type WaitName = (typeof WAITS)[number];

/**
 * Counters of every run. None is the beginning of another's name, nor of anything else's: Artillery's thresholds
 * replace names as text.
 */
const COUNTERS = [
  'requests',
  'errors',
  'seats_held',
  'seats_taken',
  'tickets',
  'payments_declined',
  'drops',
  'steps_skipped',
  'owners',
  'declined',
  'refused',
  'browsed',
  'unanswered',
] as const;
export type CounterName = (typeof COUNTERS)[number];

const PREFIX = 'stampede.';
/** All requests together. */
const ALL_REQUESTS = `${PREFIX}response_ms`;
const histogramOf = (name: RequestName | WaitName): string => `${PREFIX}${name}_ms`;

/** Every counter of this engine, by its name in a report. */
export const COUNTER_NAMES: readonly string[] = COUNTERS.map((name) => PREFIX + name);
/** Every histogram, in milliseconds, by its name in a report. */
export const HISTOGRAM_NAMES: readonly string[] = [ALL_REQUESTS, ...[...REQUESTS, ...WAITS].map(histogramOf)];
/** Lines of one kind of error that go to the journal: enough to see what it is. */
const ERRORS_WRITTEN_MAX = 5;

/** What one worker measures, told to Artillery and, for who watches, to the journal. */
export class LoadMetrics {
  readonly #journal: Journal;
  readonly #stages = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  readonly #errorsWritten = new Map<string, number>();
  #events: MetricEvents | null = null;
  #requests = 0;
  #errors = 0;
  #ticketsTold = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Names every counter once, so that a threshold finds those that stay at zero. */
  begin(events: MetricEvents): void {
    if (this.#events) return;
    this.#events = events;
    for (const name of COUNTER_NAMES) events.emit('counter', name, 0);
  }

  count(name: CounterName, by = 1): void {
    if (name === 'requests') this.#requests += by;
    if (name === 'tickets') this.#ticketsTold += by;
    this.#events?.emit('counter', PREFIX + name, by);
  }

  /** An answer came after so many milliseconds, whatever it said. */
  answered(request: RequestName, ms: number): void {
    this.#events?.emit('histogram', ALL_REQUESTS, ms);
    this.#events?.emit('histogram', histogramOf(request), ms);
  }

  waited(what: WaitName, ms: number): void {
    this.#events?.emit('histogram', histogramOf(what), ms);
  }

  /** Something that was not expected. */
  error(step: string, outcome: Outcome | 'broken', detail: string, buyer: number): void {
    const kind = `${step}:${outcome}`;
    this.#errors++;
    this.count('errors');
    this.#events?.emit('error', kind);
    const written = this.#errorsWritten.get(kind) ?? 0;
    if (written >= ERRORS_WRITTEN_MAX) return;
    this.#errorsWritten.set(kind, written + 1);
    this.#journal.write({ type: 'error', kind: detail ? `${kind} (${detail})` : kind, buyer });
  }

  /** A buyer moves on; null: they were not there before. */
  moved(from: Stage | null, to: Stage): void {
    if (from !== null) this.#stages[from]--;
    this.#stages[to]++;
  }

  progress(): Progress {
    return {
      stages: { ...this.#stages },
      requests: this.#requests,
      errors: this.#errors,
      ticketsTold: this.#ticketsTold,
    };
  }
}
