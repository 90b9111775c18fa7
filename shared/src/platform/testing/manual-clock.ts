import type { Clock } from '../clock.ts';

interface Appointment {
  /** Of the time that has passed, which no setting of the clock changes. */
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** A clock that stands still until `advance` moves it; due tasks run in the order of their times. */
export class ManualClock implements Clock {
  /** Time that has passed, and what the clock shows on top of it. */
  #passedMs = 0;
  #shownMs: number;
  #order = 0;
  readonly #appointments = new Set<Appointment>();

  constructor(startMs = 1_700_000_000_000) {
    this.#shownMs = startMs;
  }

  now(): number {
    return this.#shownMs + this.#passedMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const appointment = { at: this.#passedMs + Math.max(0, delayMs), order: this.#order++, task };
    this.#appointments.add(appointment);
    return () => {
      this.#appointments.delete(appointment);
    };
  }

  /** Moves time forward by `ms`, running what falls due, including what those tasks schedule in turn. */
  advance(ms: number): void {
    const end = this.#passedMs + ms;
    for (let next = this.#firstDue(end); next; next = this.#firstDue(end)) {
      this.#appointments.delete(next);
      this.#passedMs = Math.max(this.#passedMs, next.at);
      next.task();
    }
    this.#passedMs = end;
  }

  /** Sets the clock forward, or back, as a time server does; tasks run after the delays they were given all the same. */
  set(byMs: number): void {
    this.#shownMs += byMs;
  }

  #firstDue(end: number): Appointment | undefined {
    let first: Appointment | undefined;
    for (const one of this.#appointments) {
      if (one.at > end) continue;
      if (!first || one.at < first.at || (one.at === first.at && one.order < first.order)) first = one;
    }
    return first;
  }
}
