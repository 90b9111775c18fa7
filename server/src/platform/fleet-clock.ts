import type { Clock } from '@stampede/shared/platform/clock.ts';
import { answerWithin } from './retry.ts';
import { repeat } from './repeat.ts';

/** Who tells the time for all nodes. */
export interface TimeTeller {
  /** As an operator knows it: "Redis". */
  readonly name: string;
  /** Reads its instant, in milliseconds since the Unix epoch. */
  readonly read: () => Promise<number>;
}

export interface FleetClockParts {
  /** The machine's. */
  readonly machine: Clock;
  /** Milliseconds that have passed since any moment, and that nobody sets. */
  readonly passedMs: () => number;
  readonly onTrouble: (message: string) => void;
}

/** How far a machine's clock may be wrong without its node being taken out: people set appointments by it. */
export const SKEW_MAX_MS = 1_000;
const MEASURE_EVERY_MS = 5_000;
/** Of so many readings the quickest counts: it says most exactly when it was made. */
const READINGS = 3;
/** A reading that took longer says less than the one before. */
const ROUND_TRIP_MAX_MS = 500;
const MS_PER_SECOND = 1_000;

/**
 * The one time that all nodes go by, whatever their machines' clocks say: that of the store they share, measured every
 * few seconds, half the way there and back added. In between it goes on with what passes, so that a clock that is set
 * changes nothing. Before `follow`, and where nothing is shared, it is the machine's.
 */
export class FleetClock implements Clock {
  readonly #parts: FleetClockParts;
  #teller: TimeTeller | null = null;
  /** What is to be added to the time that has passed. */
  #offsetMs: number | null = null;
  #lastTold = 0;
  #isWrong = false;

  constructor(parts: FleetClockParts) {
    this.#parts = parts;
  }

  now(): number {
    if (this.#offsetMs === null) return this.#parts.machine.now();
    const now = Math.round(this.#offsetMs + this.#parts.passedMs());
    // A measurement differs from the one before by a few milliseconds: those are waited for. A store that moved to
    // another machine is followed.
    if (now < this.#lastTold && this.#lastTold - now < SKEW_MAX_MS) return this.#lastTold;
    this.#lastTold = now;
    return now;
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#parts.machine.after(delayMs, task);
  }

  /** Milliseconds by which the machine's clock is ahead of the fleet's time. */
  get skewMs(): number {
    return this.#offsetMs === null ? 0 : this.#parts.machine.now() - this.now();
  }

  /** Why this machine should not serve; null while its clock is right. */
  get trouble(): string | null {
    const skewMs = this.skewMs;
    if (!this.#teller || Math.abs(skewMs) <= SKEW_MAX_MS) return null;
    const seconds = Math.round(Math.abs(skewMs) / MS_PER_SECOND);
    return `this machine's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} ${this.#teller.name}`;
  }

  /** Goes by another's time from now on. Resolves after the first measurement; the returned function ends them. */
  async follow(teller: TimeTeller): Promise<() => Promise<void>> {
    this.#teller = teller;
    await this.#measure().catch((cause: unknown) => this.#late(cause));
    return repeat(
      this.#parts.machine,
      MEASURE_EVERY_MS,
      () => this.#measure(),
      (cause) => this.#late(cause),
    );
  }

  async #measure(): Promise<void> {
    const { machine, passedMs, onTrouble } = this.#parts;
    const teller = this.#teller;
    if (!teller) return;
    let quickestMs = ROUND_TRIP_MAX_MS;
    let measured: number | null = null;
    for (let reading = 0; reading < READINGS; reading++) {
      const askedAt = passedMs();
      const told = await answerWithin(machine, ROUND_TRIP_MAX_MS, `the time of ${teller.name}`, teller.read);
      const roundTripMs = passedMs() - askedAt;
      if (roundTripMs > quickestMs) continue;
      quickestMs = roundTripMs;
      measured = told - askedAt - roundTripMs / 2;
    }
    if (measured === null) throw new Error(`${teller.name} takes too long to tell the time`);
    this.#offsetMs = measured;
    const { trouble } = this;
    if (trouble !== null && !this.#isWrong) onTrouble(trouble);
    this.#isWrong = trouble !== null;
  }

  #late(cause: unknown): void {
    this.#parts.onTrouble(`the fleet's time could not be measured: ${String(cause)}`);
  }
}
